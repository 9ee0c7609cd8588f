#!/usr/bin/env bash
# SLURP (58 h of real recordings): intent and slots from a WavLM Base and from what
# egs/librispeech/asr1 leaves of it.
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

exec ../../TEMPLATE/recipe.sh \
    --recipe-title "SLURP: SLU on pruned encoders" \
    --recipe-command "egs/slurp/slu1/run.sh ${*@Q}" \
    --teacher ../../librispeech/asr1/downloads/wavlm_base \
    --recipe-encoder ../../librispeech/asr1/exp/recover/encoder \
    --valid-set devel \
    --recipe-systems "teacher pruned" \
    --ngpu 1 \
    --task slu \
    --inference-model valid.acc.ave.pth \
    --token-type bpe --nbpe 500 \
    "$@"
