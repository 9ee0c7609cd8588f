#!/usr/bin/env bash
# All stages on an hour or five, with a small teacher, on a CPU: what is left untried is
# the size.
#   python local/excerpt.py FOLDER downloads/excerpt     # FOLDER has a manifest.tsv
#   LIBRISPEECH=downloads/excerpt ./run_excerpt.sh       # after egs/an4/asr1
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

# the teacher has 6 blocks of 128 dimensions: AN4's schedules fit it, in fewer steps
exec ./run.sh \
    --recipe-title "LibriSpeech excerpt, small teacher: the recipe at reduced scale" \
    --recipe-command "egs/librispeech/asr1/run_excerpt.sh ${*@Q}" \
    --teacher ../../an4/asr1/exp/teacher \
    --data-opts "--check-counts false" \
    --expdir exp_excerpt \
    --ngpu 0 \
    --distill-config ../../an4/asr1/conf/distill.yaml \
    --recover-config ../../an4/asr1/conf/recover.yaml \
    --encoder-args "--num_iters_per_epoch 100 --max_epoch 5" \
    --task-args "--batch_bins 320000 --accum_grad 1 --num_iters_per_epoch 100 \
        --max_epoch 8 --optim_conf lr=1.0e-3 --scheduler_conf warmup_steps=200 \
        --encoder_conf output_size=128 --encoder_conf linear_units=256 \
        --encoder_conf num_blocks=1 --num_workers 1" \
    "$@"
