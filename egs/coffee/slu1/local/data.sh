#!/usr/bin/env bash
# Makes the sets of the coffee orders: intents and slots as text.

set -euo pipefail

# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: local/data.sh [options]   (from the recipe's folder)
Makes data/{train,dev,test}, whose text is intent and slots, and data/pretrain, the audio
the teacher learns from.
  --extra-audio DIR   more speech for data/pretrain, any names (default: LIBRISPEECH)
  --max-seconds N     longest piece of extra audio (default: 4)
  --num-dev N         orders to tune on (default: 60)
  --num-test N        orders to report on (default: 100)
  --url URL           where to download the corpus
  --checksum KIND:HEX refuse another archive (sha256, md5)
COFFEE and LIBRISPEECH are set in db.sh or in the environment."

. ./path.sh
. ./db.sh

extra_audio=${LIBRISPEECH}
max_seconds=4
num_dev=60
num_test=100
url=https://github.com/Picovoice/speech-to-intent-benchmark/archive/47b1ca63.tar.gz
checksum=
. utils/parse_options.sh
if [ $# -ne 0 ]; then
    echo "$0: unexpected argument $1; options begin with --" >&2
    exit 1
fi

if [ ! -f "${COFFEE}/manifest.tsv" ]; then
    echo "$0: no manifest.tsv in ${COFFEE}: downloading the corpus there"
    python local/download_coffee.py "${COFFEE}" --url "${url}" \
        ${checksum:+--checksum "${checksum}"}
fi
python local/prepare_coffee.py "${COFFEE}" data \
    ${extra_audio:+--extra-audio "${extra_audio}"} --max-seconds "${max_seconds}" \
    --num-dev "${num_dev}" --num-test "${num_test}"
for name in train dev test; do
    utils/validate_data_dir.sh --no-feats "data/${name}"
done
utils/validate_data_dir.sh --no-feats --no-text data/pretrain
