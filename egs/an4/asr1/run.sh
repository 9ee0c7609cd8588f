#!/usr/bin/env bash
# AN4 (0.8 h of spoken letters, numbers and commands): a small WavLM is pre-trained,
# distill-pruned by 80 % and fine-tuned, beside its teacher and two encoders of its size.
#   LIBRISPEECH=<folder> ./run.sh --data-opts "..." --stage 3 --stop-stage 5
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

exec ../../TEMPLATE/recipe.sh \
    --recipe-title "AN4: ASR on pruned encoders, real recordings" \
    --recipe-command "egs/an4/asr1/run.sh ${*@Q}" \
    --pretrain-set pretrain \
    --recipe-systems "teacher pruned scratch distilhubert" \
    --seeds "1 2 3" \
    --token-type word \
    "$@"
