#!/usr/bin/env bash
# All stages on some sentences of SLURP that espeak-ng speaks, with the small encoders of
# egs/librispeech/asr1/run_excerpt.sh, on a CPU: what is left untried is the size.
#   SLURP=FOLDER ./run_excerpt.sh                        # FOLDER has SLURP's text
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

exec ./run.sh \
    --recipe-title "SLURP text, synthetic speech, small encoders: the recipe at reduced scale" \
    --recipe-command "egs/slurp/slu1/run_excerpt.sh ${*@Q}" \
    --teacher ../../an4/asr1/exp/teacher \
    --recipe-encoder ../../librispeech/asr1/exp_excerpt/recover/encoder \
    --data-opts "--synthetic 600" \
    --expdir exp_excerpt \
    --ngpu 0 \
    --nbpe 200 \
    --task-args "--batch_bins 400000 --accum_grad 1 --num_iters_per_epoch 80 \
        --max_epoch 12 --optim_conf lr=1.0e-3 --scheduler_conf warmup_steps=200 \
        --encoder_conf output_size=128 --encoder_conf linear_units=256 \
        --encoder_conf num_blocks=1 --decoder_conf num_blocks=1 --num_workers 1" \
    "$@"
