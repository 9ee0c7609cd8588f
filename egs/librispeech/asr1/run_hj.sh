#!/usr/bin/env bash
# HJ-Pruning [P23] on LibriSpeech 100 h: error against multiply-accumulates for its three
# methods and for pruning of the Transformer alone, from a fine-tuned WavLM Base. Needs
# ./run.sh --systems teacher --stop-stage train before. Not run at this size (README.md).
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

# nothing is frozen, as with gates; half the learning rate of a first fine-tuning, and a
# warm-up of a pass (450 updates) instead of 11. Budgets: those of [P23]; without gates on the
# convolutions no more than 63 % of the MACs of a Base encoder can go. The multipliers
# rise as fast as the gates move (conf/prune_asr.yaml), as in egs/an4/asr1.
tune=(--optim_conf lr=5.0e-5 --scheduler_conf warmup_steps=450
    --frontend_conf freeze_cnn=false)

exec ../../TEMPLATE/hj.sh \
    --recipe-title "LibriSpeech 100 h: HJ-Pruning, ASR" \
    --recipe-command "egs/librispeech/asr1/run_hj.sh ${*@Q}" \
    --teacher downloads/wavlm_base \
    --train-set train_100 \
    --test-sets "test_clean test_other" \
    --budgets "10 20 30 40 50" \
    --multiplier-lr 0.01 \
    --tune-args "--max_epoch 6 ${tune[*]}" \
    --dense-args "--max_epoch 12 ${tune[*]}" \
    --ngpu 1 \
    --token-type char \
    "$@"
