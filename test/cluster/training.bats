#!/usr/bin/env bats
# A distill-pruning on a real Slurm of two nodes, started by a recipe: it is requeued,
# loses its node, runs into its time limit, and ends as the undisturbed one does.
#
# Slurm is waited for most of the time, so the runs go on side by side, each in a recipe
# of its own. The tests look at what came out.

bats_require_minimum_version 1.5.0

setup_file() {
    load helpers.bash
    load ../egs/helpers.bash
    start_cluster start_slurm.sh
    # shellcheck source=/dev/null
    . "$CLUSTER/env.sh"
    export QUEUE_GRACE_SECONDS=4
    copy_recipe mini/asr1
    export RECIPES=${RECIPE%/*}
    outcome make
    # the first node is left to the run that loses it
    for name in whole requeued limited single; do in_recipe "$name" "-w n2"; done
    in_recipe lost "-w n1"
    in_recipe two_nodes ""
}

teardown_file() {
    load helpers.bash
    load ../egs/helpers.bash
    stop_cluster stop_slurm.sh
    [ -z "$RECIPE" ] || remove_recipe
}

setup() {
    load helpers.bash
    # shellcheck source=/dev/null
    . "$CLUSTER/env.sh"
    cd "$RECIPES" || exit 1
}

# in_recipe NAME OPTIONS: the function NAME begins, behind, in a copy of the recipe
# whose jobs have the given options of sbatch.
in_recipe() {
    cp -a "$RECIPE" "$RECIPES/$1"
    cd "$RECIPES/$1" || exit 1
    # torch with CUDA takes more than the cluster's default of 1 GB
    sed -i "s/^command .*/&,PRUNEASR_PYTHON --mem-per-cpu 1900M --signal=B:USR1@10 $2/" \
        conf/slurm.conf
    behind "$1"
}

# Epochs of a second, so that a fault finds the training at work. In float32, sums in the
# order of two nodes make a gate's sample differ by 1e-5 after 60 steps; sooner or later
# one is closed in one training and open in the other, and these part.
STAGE=(--stage distill --stop-stage distill --teacher data/train/teacher
    --distill-config data/train/distill.yaml --num-threads 1
    --encoder-args "--num_iters_per_epoch 30 --train_dtype float64")

distill() { ./run.sh --cmd-backend slurm "${STAGE[@]}" "$@"; }

whole() { distill; }

requeued() {
    distill &
    in_epoch 2
    scontrol requeue "$(number)"
    wait $!
}

lost() {
    distill &
    lose_first_node
    wait $!
}

lose_first_node() {
    in_epoch 2
    lose_node n1
    until_true 60 node_is n1 down
    slurmd -f "$SLURM_CONF" -N n1
}

limited() {
    local status=0
    distill &
    in_epoch 2
    reach_limit "$(number)"
    wait $! || status=$?
    [ "$status" -eq 1 ]
    distill # the user calls again
}

# The recipe is the job.
single() {
    local job
    job=$(cd .. && sbatch --parsable -w n2 -c 1 --mem-per-cpu 1900M -o single/output \
        single/run.sh "${STAGE[@]}")
    in_epoch 2
    reach_limit "$job"
    until_true 60 shows "$job" "Restarts=1"
    scontrol update JobId="$job" TimeLimit=60
    until_true 400 shows "$job" "JobState=COMPLETED"
}

two_nodes() {
    until_true 600 test -s ../lost/ended
    distill --num-nodes 2 &
    lose_first_node
    wait $!
}

in_epoch() { until_true 400 grep -qs "$1/4epoch started" exp/distill/train.log; }

number() { sed -n 's/^Submitted batch job //p' exp/distill/q/train.log; }

shows() { scontrol -o show job "$1" | grep -qw "$2"; }

# reach_limit JOB: the training stands still until Slurm has warned of the time limit,
# which it looks for every 30 seconds.
reach_limit() {
    local file training=
    for file in /proc/[0-9]*/cwd; do
        if [ "$(readlink "$file")" = "$PWD" ] && tr '\0' ' ' < "${file%/cwd}/cmdline" \
            | grep -q '^python -m pruneasr.bin.distill_train'; then
            training=${file#/proc/}
            training=${training%/cwd}
        fi
    done
    kill -STOP "$training"
    scontrol update JobId="$1" EndTime=now+40
    until_true 60 warned "$training"
    kill -CONT "$training"
}

# warned PROCESS: USR1 or TERM waits for it.
warned() { ((0x$(sed -n 's/^ShdPnd:\t//p' "/proc/$1/status") & 0x4200)); }

# outcome ARGUMENTS...: of outcome.py, from the folder of the recipe
outcome() {
    # shellcheck source=/dev/null
    (cd "$RECIPE" && . ./path.sh && PYTHONPATH=$BATS_TEST_DIRNAME/..:$PYTHONPATH \
        python "$BATS_TEST_DIRNAME/outcome.py" "$@")
}

ended_well() {
    until_true 600 test -s "$1/ended"
    tail -n 30 "$1/said"
    [ "$(cat "$1/ended")" = 0 ]
}

# ended_like_whole HOW NAME: equal or close
ended_like_whole() {
    ended_well "$2"
    outcome "$1" ../{whole,"$2"}/exp/distill
}

@test "an undisturbed run has nothing to go on from" {
    ended_well whole
    run ! grep -E "resumed|goes on" whole/exp/distill/train.log
}

@test "a job that is requeued ends like the undisturbed one" {
    ended_like_whole equal requeued
    grep "resumed using" requeued/exp/distill/train.log
}

@test "a job whose node is lost ends like the undisturbed one" {
    ended_like_whole equal lost
    grep "resumed using" lost/exp/distill/train.log
    run ! grep "stopped in epoch" lost/exp/distill/train.log # there was no time to save
}

@test "a job that is warned of its time limit saves; the next call of the recipe goes on" {
    ended_like_whole equal limited
    grep "SIGUSR1: stopped in epoch" limited/exp/distill/train.1.log
    grep "goes on after batch" limited/exp/distill/train.log
}

@test "sbatch run.sh: warned of its time limit it saves, is queued again and goes on" {
    cat single/output
    ended_like_whole equal single
    grep "goes on after batch" single/exp/distill/train.log
    [ ! -L single/exp/.lock ]
}

@test "two nodes, one of them lost, have the losses of one process with both batches" {
    ended_like_whole close two_nodes
    [ "$(grep -c "^# SLURM_NTASKS=2" two_nodes/exp/distill/train.log)" -eq 2 ]
}
