#!/usr/bin/env bash
# Makes the sets of SLURP (Bastianelli et al. 2020; text CC BY 4.0, audio CC BY-NC 4.0).

set -euo pipefail

# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: local/data.sh [options]   (from the recipe's folder)
Makes data/{train,devel,test}, whose text is intent and slots.
  --text-url URL        folder of train.jsonl, devel.jsonl, test.jsonl
  --audio-url URL       slurp_real.tar.gz
  --audio-sha256 HEX    refuse an archive with another checksum
  --check-counts true   refuse sets that lack recordings (default: true)
  --synthetic N         no audio: let espeak-ng say N sentences of each set. Where the
                        folder has no train.jsonl, nlu_evaluation_data.jsonl is used
  --num-jobs N          processes that speak at the same time (default: 2)
SLURP is set in db.sh or in the environment."

. ./path.sh
. ./db.sh

text_url=https://raw.githubusercontent.com/pswietojanski/slurp/master/dataset/slurp
audio_url=https://zenodo.org/record/4274930/files/slurp_real.tar.gz
audio_sha256=
check_counts=true
synthetic=0
num_jobs=2
. utils/parse_options.sh

if ((synthetic > 0)); then
    python local/speak_slurp.py "${SLURP}" data --num-sentences "${synthetic}" \
        --num-jobs "${num_jobs}"
else
    python local/download_slurp.py "${SLURP}" --text-url "${text_url}" \
        --audio-url "${audio_url}" ${audio_sha256:+--audio-sha256 "${audio_sha256}"}
    python local/prepare_slurp.py "${SLURP}" data --check-counts "${check_counts}"
fi
for name in train devel test; do
    utils/validate_data_dir.sh --no-feats "data/${name}"
done
