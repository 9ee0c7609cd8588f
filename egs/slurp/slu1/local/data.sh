#!/usr/bin/env bash
# Makes the sets of SLURP (Bastianelli et al. 2020; text CC BY 4.0, audio CC BY-NC 4.0).

set -euo pipefail

# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: local/data.sh [options]   (from the recipe's folder)
Makes data/{train,devel,test}, whose text is intent and slots.
  --text-url URL        folder of train.jsonl, devel.jsonl, test.jsonl
  --audio-url URL       slurp_real.tar.gz
  --text-checksums KIND:HEX,KIND:HEX,KIND:HEX  of train, devel, test
  --audio-checksum KIND:HEX
                        refuse other downloads (sha256, md5, git); any if empty
  --check-counts true   refuse sets that lack recordings (default: true)
  --synthetic N         no audio: let espeak-ng say N sentences of each set. Where the
                        folder has no train.jsonl, nlu_evaluation_data.jsonl is used
  --num-jobs N          processes that speak at the same time (default: 2)
SLURP is set in db.sh or in the environment."

. ./path.sh
. ./db.sh

text_url=https://raw.githubusercontent.com/pswietojanski/slurp/8eb16545762be97ace75334109d73824217311f1/dataset/slurp
# train, devel, test: git ls-tree 8eb16545 dataset/slurp/
text_checksums=git:c7568b5661ea802c9e41204af3d30ef892dcd5c9
text_checksums+=,git:de034fadea8caa5a3c08c387b2a750f37737729d
text_checksums+=,git:d98a6962767dd6a03cae20c31d03c7bf7e4c36af
audio_url=https://zenodo.org/record/4274930/files/slurp_real.tar.gz
audio_checksum=md5:9efc0f058ced47bf5131c7cb2cade513 # as published with the archive
check_counts=true
synthetic=0
num_jobs=2
. utils/parse_options.sh
if [ $# -ne 0 ]; then
    echo "$0: unexpected argument $1; options begin with --" >&2
    exit 1
fi

if ((synthetic > 0)); then
    python local/speak_slurp.py "${SLURP}" data --num-sentences "${synthetic}" \
        --num-jobs "${num_jobs}"
else
    # shellcheck disable=SC2086  # checksums are words
    python local/download_slurp.py "${SLURP}" \
        --text-url "${text_url}" ${text_checksums:+--text-checksums ${text_checksums//,/ }} \
        --audio-url "${audio_url}" ${audio_checksum:+--audio-checksum "${audio_checksum}"}
    python local/prepare_slurp.py "${SLURP}" data --check-counts "${check_counts}"
fi
for name in train devel test; do
    utils/validate_data_dir.sh --no-feats "data/${name}"
done
