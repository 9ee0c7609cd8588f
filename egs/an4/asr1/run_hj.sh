#!/usr/bin/env bash
# HJ-Pruning [P23] on AN4: error against multiply-accumulates for its three methods and
# for pruning of the Transformer alone. Needs ./run.sh --systems teacher before. Two passes
# over AN4 with gates and two after: 75 points are hours even so.
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

# as with gates: nothing is frozen
tune=(--optim_conf lr=5.0e-4 --frontend_conf freeze_cnn=false)

exec ../../TEMPLATE/hj.sh \
    --recipe-title "AN4: HJ-Pruning, ASR on real recordings" \
    --recipe-command "egs/an4/asr1/run_hj.sh ${*@Q}" \
    --token-type word \
    --tune-args "--max_epoch 2 --scheduler_conf max_steps=380 ${tune[*]}" \
    --dense-args "--max_epoch 4 --scheduler_conf max_steps=760 ${tune[*]}" \
    "$@"
