#!/usr/bin/env bash
# Coffee orders (1.2 h of real recordings): intent and slots on pruned encoders.
#   COFFEE=<folder> LIBRISPEECH=<folder> ./run.sh
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

exec ../../TEMPLATE/recipe.sh \
    --recipe-title "Coffee orders: SLU on pruned encoders, real recordings" \
    --recipe-command "egs/coffee/slu1/run.sh ${*@Q}" \
    --pretrain-set pretrain \
    --recipe-systems "teacher pruned scratch distilhubert" \
    --seeds "1 2 3" \
    --task slu \
    --token-type word \
    --spoken-order true \
    --word-detectors true \
    "$@"
