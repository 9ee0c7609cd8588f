#!/usr/bin/env bash
# Makes the sets of LibriSpeech (Panayotov et al. 2015, CC BY 4.0).

set -euo pipefail

# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: local/data.sh [options]   (from the recipe's folder)
Makes data/train_{100,960}, data/dev (clean and other), data/test_{clean,other}.
  --url URL              folder of the archives
  --check-counts true    refuse parts that lack utterances (default: true)
  --check-sums true      refuse archives with another checksum (default: true)
  --num-jobs N           parts that are downloaded at the same time (default: 3)
LIBRISPEECH is set in db.sh or in the environment. Downloads and unpacking go on where
they were stopped."

. ./path.sh
. ./db.sh

url=https://www.openslr.org/resources/12
check_counts=true
check_sums=true
num_jobs=3
. utils/parse_options.sh
if [ $# -ne 0 ]; then
    echo "$0: unexpected argument $1; options begin with --" >&2
    exit 1
fi

python local/download_librispeech.py "${LIBRISPEECH}" --url "${url}" \
    --check-sums "${check_sums}" --num-jobs "${num_jobs}"
python local/prepare_librispeech.py "${LIBRISPEECH}" data --check-counts "${check_counts}"
for name in train_100 train_960 dev test_clean test_other; do
    utils/validate_data_dir.sh --no-feats "data/${name}"
done
