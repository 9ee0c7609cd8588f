#!/usr/bin/env bash
# HJ-Pruning [P23] on the coffee orders: error against multiply-accumulates for its three
# methods and for pruning of the Transformer alone. Needs ./run.sh --systems teacher before.
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

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
