#!/usr/bin/env bash
# Makes the mini corpus: some hundred short sentences, spoken by espeak-ng.

set -euo pipefail

# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: local/data.sh [options]   (from the recipe's folder)
Makes data/{train,dev,test} with speech in data/audio; what is there is not made again.
  --num-train N   utterances to train on (default: 1200)
  --num-dev N     utterances to tune on (default: 100)
  --num-test N    utterances to report on (default: 100)
  --seed N        voices and sentences (default: 0)
  --num-jobs N    processes that speak at the same time (default: 2)"

. ./path.sh

num_train=1200
num_dev=100
num_test=100
seed=0
num_jobs=2
. utils/parse_options.sh
if [ $# -ne 0 ]; then
    echo "$0: unexpected argument $1; options begin with --" >&2
    exit 1
fi

python local/make_corpus.py data --num-train "${num_train}" --num-dev "${num_dev}" \
    --num-test "${num_test}" --seed "${seed}" --num-jobs "${num_jobs}"
for name in train dev test; do
    utils/validate_data_dir.sh --no-feats "data/${name}"
done
