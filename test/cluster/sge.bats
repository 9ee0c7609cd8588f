#!/usr/bin/env bats
# utils/queue.pl against a real Grid Engine of one host on this machine.
# shellcheck disable=SC2016  # dollars are for the job

setup_file() {
    load helpers.bash
    start_cluster start_sge.sh
}

teardown_file() {
    load helpers.bash
    stop_cluster stop_sge.sh
}

setup() {
    load helpers.bash
    enter
}

teardown() {
    end_behind
}

number() {
    sed -n 's/^Your job[^ ]* \([0-9]*\).*/\1/p' "q/$1.log" 2> /dev/null
}

# daemon NAME: starts a daemon as start_sge.sh does.
daemon() {
    SGE_ND=1 setsid nsenter -n -t "$(cat "$CLUSTER/namespace.pid")" \
        "/usr/lib/gridengine/sge_$1" < /dev/null >> "$CLUSTER/$1.out" 2>&1 3>&- &
    echo $! > "$CLUSTER/$1.pid"
}

# Kills the execd with its jobs, as a loss of power would. The environment tells them
# from those of other clusters.
lose_host() {
    local file process
    local -a doomed=("$(cat "$CLUSTER/execd.pid")")
    for file in /proc/[0-9]*/environ; do
        grep -qzx "SGE_ROOT=$CLUSTER/root" "$file" 2> /dev/null || continue
        process=$(basename "${file%/environ}")
        [ "$(cat "/proc/$process/comm")" = sge_shepherd ] \
            || grep -qz '^JOB_SCRIPT=' "$file" || continue
        doomed+=("$process")
    done
    kill -9 "${doomed[@]}" || true # some are gone before their turn
}

@test "a job: log, queue files, exit status" {
    run queue.pl --mem 1G --num-threads 2 --name some exp/log/x.log \
        echo hello '"$JOB_NAME"' '$NSLOTS'
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    [ "$(body exp/log/x.log)" = "hello some 2" ]
    grep -qx '# Accounting: time=[0-9]* threads=2' exp/log/x.log
    tail -n 1 exp/log/x.log | grep -q '^# Finished at .* with status 0$'
    [ "$(ls exp/q)" = "sync"$'\n'"x.log"$'\n'"x.sh" ]
    [ "$(ls exp/q/sync)" = "" ]
}

@test "a failing member of an array is named, also after -sync y" {
    run queue.pl -sync y JOB=1:3 1.JOB.log echo 'b "JOB"' \; exit '$((JOB==2))'
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "queue.pl: 1 / 3 failed, log is in 1.*.log" ]
    [ "${lines[1]}" = "queue.pl: JOB=2: status 1, log is in 1.2.log" ]
    [ "$(body 1.3.log)" = 'b "3"' ]
}

@test "--max-jobs-run throttles an array" {
    # counted at a member's end: schedulers may start the second seconds after the first
    run queue.pl --max-jobs-run 2 JOB=1:4 x.JOB.log \
        touch on.JOB \; sleep 3 \; ls \| grep -c '^on' \; rm on.JOB
    [ "$status" -eq 0 ]
    [ "$(cat x.*.log | grep -v '^#' | sort -n | tail -n 1)" -eq 2 ]
}

@test "--gpu asks for generic resources and a queue" {
    run queue.pl --gpu 1 x.log echo '$QUEUE'
    [ "$status" -eq 0 ]
    [ "$(body x.log)" = "g.q" ]
}

@test "undescribed options are ignored with a warning" {
    run queue.pl --no-such 1 x.log true
    [ "$status" -eq 0 ]
    [[ "$output" == *"Warning: Command line option no_such not described in "* ]]
}

@test "a refused request is an error" {
    run queue.pl -l no_such_resource=1 x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"expected one job number from: qsub "*'"no_such_resource"'* ]]
}

@test "SIGTERM deletes the job" {
    behind queue.pl x.log sleep 1000
    until_true 10 grep -qs '^# Running' x.log
    kill -s TERM "$(cat pid)"
    ended_with 10 143
    grep -qx "queue.pl: got SIGTERM, cancelled job $(number x); log is in x.log" said
    until_true 10 bash -c "! qstat -j $(number x)"
}

@test "a job that somebody deletes is an error, not a hang" {
    behind queue.pl x.log sleep 1000
    until_true 10 grep -qs '^# Running' x.log
    qdel "$(number x)"
    ended_with 40 1
    grep -q 'log is in x.log' said
}

@test "a killed command, which puts the job in an error state, is an error" {
    run timeout 60 queue.pl x.log kill -9 '$BASHPID'
    [ "$status" -eq 1 ]
    [[ "$output" == *"status 137, log is in x.log (killed by signal 9 (KILL), "* ]]
    until_true 10 bash -c "! qstat -j $(number x)"
}

@test "a job that cannot start is an error, not a hang" {
    echo 'command qsub -v PATH -S /no/such/shell' > broken.conf
    run timeout 60 queue.pl --config broken.conf x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"log is in x.log (in an error state: "* ]]
}

@test "the time limit is the reason given" {
    run timeout 90 queue.pl --time 0:0:3 x.log sleep 1000
    [ "$status" -eq 1 ]
    [[ "$output" == *"log is in x.log (a limit was reached: qmaster enforced h_rt"* ]]
}

@test "a lost host: silent, then jobs are lost or run again" {
    local once="'[' -n '\"\$RESTARTED\"' -a '\"\$RESTARTED\"' != 0 ']' '||'"
    mkdir silent lost again
    (cd silent && QUEUE_GRACE_SECONDS=1 behind queue.pl x.log echo try \; sleep 1000)
    (cd lost && behind queue.pl x.log echo try \; sleep 1000)
    (cd again && eval "behind queue.pl -r y x.log echo try '\$RESTARTED' \; \
        $once sleep 1000")
    for job in silent lost again; do until_true 60 grep -qs '^try' $job/x.log; done
    lose_host
    (cd silent && ended_with 60 1)
    grep -q "log is in x.log (no sign of life from $(hostname))" silent/said
    daemon execd
    (cd again && ended_with 60 0)
    (cd lost && ended_with 60 1)
    [ "$(grep -c '^try' again/x.log)" -eq 2 ]
}

@test "the qmaster may go away and come back" {
    behind queue.pl x.log echo try \; sleep 12
    until_true 10 grep -qs '^try' x.log
    kill -9 "$(cat "$CLUSTER/qmaster.pid")"
    until_true 20 grep -q 'cannot reach the scheduler, waiting for it' said
    daemon qmaster
    ended_with 60 0
    [ "$(grep -c '^try' x.log)" -eq 1 ]
}
