#!/usr/bin/env bats
# utils/run.pl and utils/stdout.pl: quoting, JOB, logs, exit status, signals.
# shellcheck disable=SC2016  # dollars are for the bash that run.pl starts

bats_require_minimum_version 1.5.0

setup() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# The output of the command in a log: what is no comment.
body() {
    grep -v '^#' "$1"
}

@test "the log has header, output, accounting and footer" {
    run run.pl sub/dir/x.log echo hello
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    mapfile -t rows < sub/dir/x.log
    [ "${rows[0]}" = "# echo hello" ]
    [[ "${rows[1]}" == "# Started at "* ]]
    [ "${rows[2]}" = "#" ]
    [ "${rows[3]}" = "hello" ]
    [[ "${rows[4]}" =~ ^"# Accounting: time="[0-9]+" threads=1"$ ]]
    [[ "${rows[5]}" =~ ^"# Ended (code 0) at ".*", elapsed time "[0-9]+" seconds"$ ]]
}

@test "stderr goes to the log" {
    run.pl x.log echo oops '>&2'
    [ "$(body x.log)" = "oops" ]
}

@test "words without white space are live shell, others are kept whole" {
    run.pl x.log printf '[%s]' 'a  b' 'c "d"  e' "it's \"f\" g" "" h
    [ "$(body x.log)" = "[a  b][c \"d\"  e][it's \"f\" g][][h]" ]
    export WORD=live
    run.pl x.log echo '$WORD' \| tr a-z A-Z
    [ "$(body x.log)" = "LIVE" ]
    run.pl x.log echo 'in "$WORD"' 'as $WORD'
    [ "$(body x.log)" = 'in "$WORD" as live' ]
}

@test "JOB is replaced in the log and everywhere in the command" {
    run run.pl JOB=2:3 x.JOB.log echo JOB xJOBx
    [ "$status" -eq 0 ]
    [ "$(body x.2.log)" = "2 x2x" ]
    [ "$(body x.3.log)" = "3 x3x" ]
    [ ! -e x.1.log ]
}

@test "any identifier serves as JOB, and JOB=n is one task" {
    run.pl split_id=7 x.split_id.log echo split_id
    [ "$(body x.7.log)" = "7" ]
}

@test "options may stand on both sides of JOB=1:N, and unknown ones are ignored" {
    run.pl --mem 4G --num-threads 3 -l a=b -V -pe smp 2 JOB=1:2 --max-jobs-run 1 \
        -sync y x.JOB.log echo JOB
    [ "$(body x.2.log)" = "2" ]
    grep -q 'threads=3$' x.1.log
}

@test "bad ranges, one log for many tasks and too few words are refused" {
    for words in "JOB=3:1 x.JOB.log true" "JOB=0:2 x.JOB.log true" \
        "JOB=1:2 x.log true" "x.log" "" "--max-jobs-run 0 x.log true" \
        "--pick some x.log true"; do
        # shellcheck disable=SC2086
        run run.pl $words
        [ "$status" -eq 1 ]
        [ -n "$output" ]
        [ ! -e x.log ]
    done
}

@test "a failed job is an error that names its log and status" {
    run run.pl x.log exit 3
    [ "$status" -eq 1 ]
    [ "$output" = "run.pl: job failed, log is in x.log (exit status 3)" ]
    grep -q '^# Ended (code 3)' x.log
}

@test "failed tasks are counted and named" {
    run run.pl JOB=1:4 x.JOB.log '[' JOB -ne 2 ']' '&&' '[' JOB -ne 4 ']'
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "run.pl: 2 / 4 failed, log is in x.*.log" ]
    [[ "$output" == *"run.pl: JOB=2: exit status 1, log is in x.2.log"* ]]
    [[ "$output" == *"run.pl: JOB=4: exit status 1, log is in x.4.log"* ]]
}

@test "a forgotten JOB=1:N is guessed" {
    run run.pl x.JOB.log false
    [[ "${lines[1]}" == *'probably you forgot to put JOB=1:$nj'* ]]
}

@test "a killed command is reported as killed" {
    run run.pl x.log 'bash -c "kill -9 \$\$"'
    [ "$status" -eq 1 ]
    run run.pl x.log kill -9 '$BASHPID'
    [[ "$output" == *"killed by signal 9 (KILL), often for want of memory)" ]]
}

@test "at most --max-jobs-run tasks run at a time, the smallest counts" {
    run.pl --max-jobs-run 9 JOB=1:4 -tc 2 x.JOB.log \
        touch on.JOB \; ls \| grep -c '^on' \; sleep 0.2 \; rm on.JOB
    [ "$(cat x.*.log | grep -vc '^#')" -eq 4 ]
    [ "$(cat x.*.log | grep -v '^#' | sort -n | tail -n 1)" -eq 2 ]
}

@test "OMP_NUM_THREADS does not reduce the number of tasks" {
    [ "$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)" -gt 1 ] || skip "needs two processors"
    OMP_NUM_THREADS=1 timeout 10 run.pl JOB=1:2 x.JOB.log bash -c \
        'touch "on.JOB"; until [ -e on.1 -a -e on.2 ]; do sleep 0.1; done'
}

@test "with --gpu, nvidia-smi says how many tasks run" {
    mkdir bin
    printf '#!/bin/sh\necho "GPU 0: x"\n' > bin/nvidia-smi
    chmod +x bin/nvidia-smi
    PATH=$PWD/bin:$PATH run.pl --gpu 1 JOB=1:3 x.JOB.log \
        touch on.JOB \; ls \| grep -c '^on' \; rm on.JOB
    [ "$(cat x.*.log | grep -v '^#' | sort -u)" = "1" ]
}

@test "--pick runs again what it says" {
    run run.pl JOB=1:3 x.JOB.log exit '$((JOB' == '2))'
    rm x.3.log
    run run.pl --pick incomplete JOB=1:3 x.JOB.log echo again
    [ "$status" -eq 1 ]
    [ "${lines[1]}" = "run.pl: JOB=2: failed before, log is in x.2.log" ]
    [ "$(body x.3.log)" = "again" ]
    run run.pl --pick failed JOB=1:3 x.JOB.log echo once more
    [ "$status" -eq 0 ]
    [ "$(body x.2.log)" = "once more" ]
    [ "$(body x.3.log)" = "again" ]
}

@test "the command cannot read the terminal" {
    echo typed | run.pl x.log cat
    [ "$(body x.log)" = "" ]
}

@test "a command longer than one argument may be" {
    run.pl x.log echo "$(seq -s ' ' 20000)" \; echo end
    [ "$(body x.log | tail -n 1)" = "end" ]
}

@test "a log that cannot be written is an error" {
    run timeout 10 run.pl /dev/full/x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"cannot make the directory /dev/full"* ]]
    run timeout 10 run.pl /dev/full echo hello
    [ "$status" -eq 1 ]
    [[ "$output" == *"cannot write /dev/full: No space left on device"* ]]
    run timeout 10 stdout.pl /dev/full echo hello
    [ "$status" -eq 1 ]
}

# $1 signal, $2 expected exit status
check_signal() {
    run.pl --max-jobs-run 2 JOB=1:2 x.JOB.log bash -c 'trap "echo saved; exit 0" TERM
        echo ready; while :; do sleep 0.1; done' \; echo next 2> err &
    local pid=$! status=0
    timeout 10 bash -c 'until grep -qs ^ready x.1.log && grep -qs ^ready x.2.log
        do sleep 0.1; done' || { kill "$pid"; return 1; }
    kill -s "$1" "$pid"
    wait "$pid" || status=$?
    [ "$status" -eq "$2" ]
    [ "$(grep -xhc saved x.1.log x.2.log | xargs)" = "1 1" ]
    [ "$(grep -xhc next x.1.log x.2.log | xargs)" = "0 0" ]
    grep -q '^# Ended (code 143)' x.1.log
    grep -q "run.pl: got SIG$1, ended the running jobs; log is in x.\*.log" err
}

@test "TERM ends the tasks, which may save first, and nothing after them runs" {
    check_signal TERM 143
}

@test "INT ends the tasks even in the background of a script" {
    check_signal INT 130
}

# $1 first signal, $2 second: the task needs a second to save.
check_second() {
    run.pl "$1.$2.log" bash -c 'trap "sleep 1; echo saved; exit 0" TERM
        echo ready; while :; do sleep 0.1; done' 2> err &
    local pid=$!
    timeout 10 bash -c "until grep -qs ^ready $1.$2.log; do sleep 0.1; done"
    kill -s "$1" "$pid"
    sleep 0.3
    kill -s "$2" "$pid"
    wait "$pid" || true
}

@test "a second TERM takes no time from the tasks, after TERM or Ctrl-C" {
    check_second TERM TERM
    grep -qx saved TERM.TERM.log
    check_second INT TERM
    grep -qx saved INT.TERM.log
}

@test "a second Ctrl-C kills the tasks" {
    check_second INT INT
    run ! grep -qx saved INT.INT.log
}

@test "USR1 is passed on to the command" {
    run.pl x.log bash -c 'trap "echo warned; exit 0" USR1
        echo ready; while :; do sleep 0.1; done' &
    local pid=$!
    timeout 10 bash -c 'until grep -qs ^ready x.log; do sleep 0.1; done'
    kill -s USR1 "$pid"
    wait "$pid"
    grep -qx warned x.log
}

@test "stdout.pl shows the output and keeps it in the log" {
    run stdout.pl x.log echo hello
    [ "$status" -eq 0 ]
    [ "$output" = "hello" ]
    [ "$(body x.log)" = "hello" ]
}

@test "stdout.pl does not swallow failures" {
    run stdout.pl x.log echo hello \; exit 5
    [ "$status" -eq 1 ]
    [ "${lines[1]}" = "stdout.pl: job failed, log is in x.log (exit status 5)" ]
    grep -q '^# Ended (code 5)' x.log
}
