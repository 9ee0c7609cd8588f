#!/usr/bin/env bash
# Mini: sentences spoken by espeak-ng (synthetic speech), a tiny WavLM. Everything from
# nothing to a table of results in 20 minutes on two CPU cores; no download, no GPU.
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

exec ../../TEMPLATE/recipe.sh \
    --recipe-title "Mini (synthetic speech): ASR on a pruned encoder" \
    --recipe-command "egs/mini/asr1/run.sh ${*@Q}" \
    --pretrain-configs conf/pretrain1.yaml \
    --recipe-systems "teacher pruned" \
    --token-type word \
    "$@"
