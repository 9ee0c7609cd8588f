#!/usr/bin/env bash
# LibriSpeech: WavLM Base is distill-pruned by 80 % on 960 h ([W23]) and fine-tuned, with
# CTC on 100 h. README.md says how to get the teacher, and how to use 960 h or attention.
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

exec ../../TEMPLATE/recipe.sh \
    --recipe-title "LibriSpeech: ASR on pruned encoders" \
    --recipe-command "egs/librispeech/asr1/run.sh ${*@Q}" \
    --teacher downloads/wavlm_base \
    --pretrain-set train_960 \
    --train-set train_100 \
    --valid-set dev \
    --test-sets "test_clean test_other" \
    --recipe-systems "teacher pruned" \
    --ngpu 1 \
    --token-type char \
    "$@"
