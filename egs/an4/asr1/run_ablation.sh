#!/usr/bin/env bash
# AN4: what each part of distill-pruning is worth, beside published and untrained
# baselines of the same size. Needs ./run.sh --systems teacher before.
set -euo pipefail
cd "$(dirname "$0")"

# A sixth of the distillation steps of run.sh, a third of those of recovery and 30 % of those
# of fine-tuning, so that all variants take hours, not days, on a core; the gates are faster
# for it. --single-args: as many steps as distill-pruning and recovery together.
# --whole-target: 0.8 of MHA and FFN is 0.676 of all.
exec ../../TEMPLATE/ablation.sh \
    --recipe-title "AN4: ablation of distill-pruning, ASR on real recordings" \
    --recipe-command "egs/an4/asr1/run_ablation.sh ${*@Q}" \
    --pretrain-set pretrain \
    --token-type word \
    --whole-target 0.676 \
    --all-layers "1 2 3 4 5 6" \
    --encoder-args "--num_iters_per_epoch 100 --max_epoch 5" \
    --gate-args "--optim2_conf lr=0.15" \
    --single-args "--num_iters_per_epoch 200" \
    --tune-args "--max_epoch 6 --scheduler_conf max_steps=1140" \
    "$@"
