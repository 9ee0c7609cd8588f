#!/usr/bin/env bash
# After decoding: predictions as SLURP's own evaluation reads them, and rates of its own.
#   local/score.sh data/test exp/slu_teacher_seed1/decode/test
set -euo pipefail

. ./path.sh

python local/predictions.py --data "$1" --hyp "$2/text" --output "$2"
