#!/usr/bin/env bash
# AN4: what each part of distill-pruning is worth, beside published and untrained
# baselines of the same size. Needs ./run.sh --systems teacher before.
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

# A sixth of the distillation steps of run.sh, a third of those of recovery and 30 % of those
# of fine-tuning, so that all variants take hours, not days, on a core; the gates are faster
# for it. --recipe-single-args: as many steps as distill-pruning and recovery together.
# --whole-target: 0.8 of MHA and FFN is 0.676 of all.
exec ../../TEMPLATE/ablation.sh \
    --recipe-title "AN4: ablation of distill-pruning, ASR on real recordings" \
    --recipe-command "egs/an4/asr1/run_ablation.sh ${*@Q}" \
    --pretrain-set pretrain \
    --token-type word \
    --whole-target 0.676 \
    --all-layers "1 2 3 4 5 6" \
    --recipe-encoder-args "--num_iters_per_epoch 100 --max_epoch 5" \
    --recipe-gate-args "--optim2_conf lr=0.15" \
    --recipe-single-args "--num_iters_per_epoch 200" \
    --recipe-tune-args "--max_epoch 6 --scheduler_conf max_steps=1140" \
    "$@"
