#!/usr/bin/env bash
# HJ-Pruning [P23] on the coffee orders: error against multiply-accumulates for its three
# methods and for pruning of the Transformer alone. Needs ./run.sh --systems teacher before.
set -euo pipefail
cd "$(dirname "$0")"

# goes on from a fine-tuned model: nothing is frozen, a third of the learning rate, two
# orders a step as with gates; two passes with gates and two after
tune=(--batch_bins 300000 --num_iters_per_epoch 164 --optim_conf lr=5.0e-4
    --frontend_conf freeze_cnn=false --frontend_conf freeze_steps=0
    --frontend_conf dropout=0.1)

exec ../../TEMPLATE/hj.sh \
    --recipe-title "Coffee orders: HJ-Pruning, SLU on real recordings" \
    --recipe-command "egs/coffee/slu1/run_hj.sh ${*@Q}" \
    --task slu \
    --prune-config conf/prune_slu.yaml \
    --tune-args "--max_epoch 2 --scheduler_conf max_steps=328 ${tune[*]}" \
    --dense-args "--max_epoch 4 --scheduler_conf max_steps=656 ${tune[*]}" \
    --token-type word \
    "$@"
