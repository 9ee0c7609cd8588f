#!/usr/bin/env bash
# AN4: what each part of distil-pruning is worth, beside published and untrained
# baselines of the same size. Needs ./run.sh --systems teacher --stop-stage stats before.
set -euo pipefail
cd "$(dirname "$0")"

# --whole-target: 0.8 of MHA and FFN is 0.676 of all. --untrained-args: as many steps as
# distil-pruning and recovery together.
exec ../../TEMPLATE/ablation.sh \
    --recipe-title "AN4: ablation of distil-pruning, ASR on real recordings" \
    --pretrain-set pretrain \
    --token-type word \
    --whole-target 0.676 \
    --untrained-args "--num_iters_per_epoch 450" \
    "$@"
