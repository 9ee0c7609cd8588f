#!/usr/bin/env bash
# The papers' ablations and baselines at full size: WavLM Base on 960 h, fine-tuned with CTC
# on 100 h. Needs ./run.sh --systems teacher before. Not run at this size (README.md).
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

# --recipe-single-args: as many steps as distill-pruning and recovery together.
# --recipe-tune-args: 30 % of the epochs of run.sh, for all but the encoder is trained
# already. --whole-target: 0.8 of MHA and FFN is 0.72 of all.
exec ../../TEMPLATE/ablation.sh \
    --recipe-title "LibriSpeech: ablation of distill-pruning, ASR" \
    --recipe-command "egs/librispeech/asr1/run_ablation.sh ${*@Q}" \
    --teacher downloads/wavlm_base \
    --pretrain-set train_960 \
    --train-set train_100 \
    --test-sets "test_clean test_other" \
    --whole-target 0.72 \
    --all-layers "1 2 3 4 5 6 7 8 9 10 11 12" \
    --recipe-single-args "--num_iters_per_epoch 2250 --max_epoch 100" \
    --recipe-tune-args "--max_epoch 12" \
    --ngpu 1 \
    --token-type char \
    "$@"
