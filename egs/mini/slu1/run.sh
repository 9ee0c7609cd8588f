#!/usr/bin/env bash
# Mini: commands spoken by espeak-ng (synthetic speech), a tiny WavLM, intents and slots.
# From nothing in 20 minutes on two CPU cores, or with the encoder of mini/asr1:
#   ./run.sh --pruned-encoder ../asr1/exp/recover/encoder
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

exec ../../TEMPLATE/recipe.sh \
    --recipe-title "Mini (synthetic speech): SLU on a pruned encoder" \
    --recipe-command "egs/mini/slu1/run.sh ${*@Q}" \
    --pretrain-configs conf/pretrain1.yaml \
    --recipe-systems "teacher pruned" \
    --task slu \
    --token-type word \
    --slots "state device room amount colour object person daytime style" \
    "$@"
