#!/usr/bin/env bash
# Prepares AN4: downloads the corpus where it is not there, writes the data directories.

set -euo pipefail

# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: local/data.sh [options]   (from the recipe's folder)
Makes data/{train,dev,test} of AN4 and data/pretrain, the audio the teacher learns from.
  --extra-audio DIR      more speech for data/pretrain, any names (default: LIBRISPEECH)
  --max-seconds N        longest piece of extra audio (default: 4; attention costs the square)
  --num-dev-speakers N   speakers held out of the training part (default: 8)
  --url URL              where to download the corpus
  --checksum KIND:HEX    refuse another archive (sha256, md5)
  --expected-train N     utterances of a whole copy's training part (default: 948)
  --expected-test N      utterances of a whole copy's test part (default: 130)
AN4 and LIBRISPEECH are set in db.sh or in the environment."

. ./path.sh
. ./db.sh

extra_audio=${LIBRISPEECH}
max_seconds=4
num_dev_speakers=8
url=http://www.speech.cs.cmu.edu/databases/an4/an4_sphere.tar.gz
checksum=
expected_train=948
expected_test=130
. utils/parse_options.sh
if [ $# -ne 0 ]; then
    echo "$0: unexpected argument $1; options begin with --" >&2
    exit 1
fi

if [ ! -f "${AN4}/manifest.tsv" ]; then
    echo "$0: no manifest.tsv in ${AN4}: downloading the corpus there"
    python local/download_an4.py "${AN4}" --url "${url}" ${checksum:+--checksum "${checksum}"}
fi
python local/prepare_an4.py "${AN4}" data \
    ${extra_audio:+--extra-audio "${extra_audio}"} \
    --max-seconds "${max_seconds}" --num-dev-speakers "${num_dev_speakers}" \
    --expected-train "${expected_train}" --expected-test "${expected_test}"
for name in train dev test; do
    utils/validate_data_dir.sh --no-feats "data/${name}"
done
utils/validate_data_dir.sh --no-feats --no-text data/pretrain
