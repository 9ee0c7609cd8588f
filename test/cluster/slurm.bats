#!/usr/bin/env bats
# utils/slurm.pl against a real Slurm of two nodes on this machine.
# shellcheck disable=SC2016  # dollars are for the job

setup_file() {
    load helpers.bash
    start_cluster start_slurm.sh
}

teardown_file() {
    load helpers.bash
    stop_cluster stop_slurm.sh
}

setup() {
    load helpers.bash
    enter
}

teardown() {
    end_behind
}

number() {
    sed -n 's/^Submitted batch job //p' "q/$1.log" 2> /dev/null
}

state() {
    scontrol -o show job "$(number "$1")" 2> /dev/null | grep -o 'JobState=[A-Z_]*'
}

has_state() {
    [ "$(state "$1")" = "JobState=$2" ]
}

@test "a job: log, queue files, exit status" {
    run slurm.pl --mem 100M --num-threads 2 --time 5 --name some exp/log/x.log \
        echo hello '"$SLURM_JOB_NAME"' '$SLURM_CPUS_PER_TASK'
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    [ "$(body exp/log/x.log)" = "hello some 2" ]
    grep -qx '# Running on .*' exp/log/x.log
    grep -qx '# echo hello .*' exp/log/x.log
    grep -qx '# Accounting: time=[0-9]* threads=2' exp/log/x.log
    tail -n 1 exp/log/x.log | grep -q '^# Finished at .* with status 0$'
    [ "$(ls exp/q)" = "x.log"$'\n'"x.sh" ]
}

@test "a failing member of an array is named, with JOB quoted as by run.pl" {
    run slurm.pl JOB=1:3 x.JOB.log echo '"b JOB"' 'c "JOB"  d' \; exit '$((JOB==2))'
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "slurm.pl: 1 / 3 failed, log is in x.*.log" ]
    [ "${lines[1]}" = "slurm.pl: JOB=2: status 1, log is in x.2.log" ]
    [ "$(body x.1.log)" = '"b 1" c "1"  d' ]
    [ "$(body x.3.log)" = '"b 3" c "3"  d' ]
}

@test "--max-jobs-run throttles an array" {
    # counted at a member's end: schedulers may start the second seconds after the first
    run slurm.pl --max-jobs-run 2 JOB=1:4 x.JOB.log \
        touch on.JOB \; sleep 3 \; ls \| grep -c '^on' \; rm on.JOB
    [ "$status" -eq 0 ]
    [ "$(cat x.*.log | grep -v '^#' | sort -n | tail -n 1)" -eq 2 ]
}

@test "--gpu asks for generic resources" {
    run slurm.pl --gpu 2 x.log echo '$SLURM_JOB_PARTITION $CUDA_VISIBLE_DEVICES'
    [ "$status" -eq 0 ]
    [ "$(body x.log)" = "gpu 0,1" ]
    run slurm.pl --gpu 9 y.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"expected one job number from: sbatch"*"sbatch: error: "* ]]
}

@test "--num-nodes and srun, as ESPnet's launcher calls it" {
    run slurm.pl --gpu 1 --num_threads 1 --num_nodes 2 x.log \
        srun --export=ALL bash -c 'echo "$SLURMD_NODENAME $SLURM_PROCID"'
    [ "$status" -eq 0 ]
    [ "$(body x.log | sort)" = $'n1 0\nn2 1' ]
}

@test "undescribed options are refused" {
    run slurm.pl --no-such 1 x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"Command line option no_such not described in "* ]]
}

@test "a path.sh that fails is an error in the log" {
    echo 'echo no such environment; exit 3' > path.sh
    run slurm.pl x.log true
    [ "$status" -eq 1 ]
    [ "$(body x.log)" = "no such environment" ]
    [[ "$output" == "slurm.pl: job failed with status 3, log is in x.log" ]]
}

@test "SIGTERM cancels the job, whose command may save first" {
    behind slurm.pl x.log bash -c 'trap "echo saved; exit 0" TERM
        echo ready; while :; do sleep 0.2; done'
    until_true 10 grep -qs '^ready' x.log
    kill -s TERM "$(cat pid)"
    ended_with 10 143
    grep -qx "slurm.pl: got SIGTERM, cancelled job $(number x); log is in x.log" said
    until_true 10 has_state x CANCELLED
    grep -qx saved x.log
}

@test "a job that somebody cancels is an error, not a hang" {
    behind slurm.pl x.log sleep 1000
    until_true 10 has_state x RUNNING
    scancel "$(number x)"
    ended_with 30 1
    grep -q '(cancelled)$' said
}

@test "USR1 for the job script reaches the command" {
    behind slurm.pl x.log bash -c 'trap "echo warned; exit 0" USR1
        echo ready; while :; do sleep 0.2; done'
    until_true 10 grep -qs '^ready' x.log
    scancel --batch --signal USR1 "$(number x)"
    ended_with 20 0
    grep -qx warned x.log
}

@test "out of memory is the reason given" {
    behind slurm.pl --mem 50M x.log perl -e 'my $x = "a" x (200 << 20); sleep 100'
    ended_with 60 1
    grep -q 'log is in x.log (out of memory (limit 50M); ask for more with' said
}

@test "the time limit is the reason given" {
    behind slurm.pl x.log sleep 1000
    until_true 10 has_state x RUNNING
    scontrol update JobId="$(number x)" EndTime=now+2
    ended_with 90 1
    grep -q 'log is in x.log (time limit of 00:01:00 reached; ask for more' said
}

@test "a requeued job is waited for and its log continued" {
    behind slurm.pl x.log echo 'try $SLURM_RESTART_COUNT' \; \
        '[' -n '"$SLURM_RESTART_COUNT"' ']' '||' sleep 1000
    until_true 10 grep -qs '^try' x.log
    scontrol requeue "$(number x)"
    ended_with 60 0
    [ "$(grep '^try' x.log)" = $'try \ntry 1' ]
}

@test "a pre-empted job is waited for" {
    behind slurm.pl -w n2 --num-threads 4 x.log \
        echo 'try $SLURM_RESTART_COUNT' \; \
        '[' -n '"$SLURM_RESTART_COUNT"' ']' '||' sleep 1000
    until_true 10 grep -qs '^try' x.log
    sbatch -p high -w n2 -c 4 -o /dev/null --wrap 'sleep 1'
    ended_with 60 0
    [ "$(grep '^try' x.log)" = $'try \ntry 1' ]
}

@test "a lost node: requeued jobs run again, others end with that reason" {
    echo 'command sbatch --no-requeue --export=PATH' > no_requeue.conf
    mkdir a b
    (cd a && behind slurm.pl -w n1 x.log echo 'try $SLURM_RESTART_COUNT' \; \
        '[' -n '"$SLURM_RESTART_COUNT"' ']' '||' sleep 1000)
    (cd b && behind slurm.pl --config ../no_requeue.conf -w n1 x.log echo try \; \
        sleep 1000)
    until_true 10 grep -qs '^try' a/x.log
    until_true 10 grep -qs '^try' b/x.log
    lose_node n1
    until_true 40 node_is n1 down
    until_true 10 slurmd -f "$SLURM_CONF" -N n1 3>&-
    (cd a && ended_with 60 0)
    [ "$(grep '^try' a/x.log)" = $'try \ntry 1' ]
    (cd b && ended_with 60 1)
    grep -q 'job failed, log is in x.log (node failure on n1)' b/said
}

@test "the controller may go away and come back" {
    behind slurm.pl x.log echo try \; sleep 14
    until_true 10 has_state x RUNNING
    sleep 6 # Slurm saves its state every five seconds
    kill -9 "$(cat "$CLUSTER/slurmctld.pid")"
    until_true 20 grep -q 'cannot reach the scheduler, waiting for it' said
    slurmctld -f "$SLURM_CONF" 3>&-
    ended_with 30 0
    [ "$(grep -c '^try' x.log)" -eq 1 ]
}

@test "a job that the controller has forgotten is an error, not a hang" {
    behind slurm.pl x.log sleep 1000
    until_true 10 has_state x RUNNING
    kill -9 "$(cat "$CLUSTER/slurmctld.pid")"
    sleep 0.5
    slurmctld -c -f "$SLURM_CONF" 3>&-
    ended_with 60 1
    grep -q 'log is in x.log' said
}

@test "a full disk is an error, not a hang" {
    mkdir small
    mount -t tmpfs -o size=32k none small 2> /dev/null || skip "no right to mount"
    behind slurm.pl small/x.log head -c 100000 /dev/zero
    local status=0
    ended_with 40 1 || status=$?
    umount small
    [ "$status" -eq 0 ]
    grep -q 'log is in small/x.log (it ended without .*: the disk of .* full' said
}
