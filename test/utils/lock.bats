#!/usr/bin/env bats
# utils/lock.sh: who is refused, what is stale.

load ../wait.bash

setup() {
    UTILS=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd)
    cd "$BATS_TEST_TMPDIR" || exit 1
    mkdir dir
    unset SLURM_JOB_ID SLURM_RESTART_COUNT
}

teardown() {
    local file
    for file in holder.pid child.pid; do
        [ ! -s "$file" ] || kill -9 "$(cat "$file")" 2> /dev/null || true
    done
}

# A run that locks the directory and stays, with a child if $1 says so.
hold() {
    bash -c '. "$1/lock.sh"; lock dir || exit 1
        [ -z "$2" ] || { sleep 1000 & echo $! > child.pid; }
        echo $$ > holder.pid; read -r < fifo' _ "$UTILS" "${1:-}" 3>&- &
    until_true 5 test -s holder.pid
}

# Another run takes the lock and gives it back.
take() {
    bash -c 'set -euo pipefail; . "$1/lock.sh"; lock dir; echo taken; unlock dir' \
        _ "$UTILS"
}

# Who has ended: this process group is not reaped here, which makes it a zombie.
end_holder() { kill -9 "$(cat holder.pid)"; }

owner() { ln -sfnT "$1" dir/.lock; }

ended() {
    [[ ! -e /proc/$1 || "$(< "/proc/$1/stat")" == *") Z "* ]]
}

@test "a free directory is taken and given back; who takes it twice has it" {
    run bash -c '. "$1/lock.sh"; lock dir && lock dir && readlink dir/.lock; unlock dir' \
        _ "$UTILS"
    [ "$status" -eq 0 ]
    [[ "$output" == "$(uname -n):"[0-9]*:[0-9]*::0 ]]
    [ ! -L dir/.lock ]
}

@test "a directory in use is refused by host and pid, and keeps its lock" {
    mkfifo fifo
    hold
    run take
    [ "$status" -eq 1 ]
    [ "$output" = "lock.sh: dir is in use by process $(cat holder.pid) on $(uname -n)" ]
    [[ "$(readlink dir/.lock)" == *":$(cat holder.pid):"* ]]
    echo > fifo
}

@test "the lock of a process that was killed is taken over" {
    mkfifo fifo
    hold
    end_holder
    until_true 5 ended "$(cat holder.pid)"
    run take
    [ "$status" -eq 0 ]
    [[ "$output" == *"process $(cat holder.pid) on $(uname -n), which has ended"* ]]
    [ "${lines[1]}" = taken ]
    [ "$(ls -A dir)" = "" ]
}

@test "what a killed process has left running is named, and keeps others out" {
    mkfifo fifo
    hold with-child
    end_holder
    until_true 5 ended "$(cat holder.pid)"
    run take
    [ "$status" -eq 1 ]
    [[ "$output" == *"what it started has not; end that first: kill $(cat child.pid)" ]]
    kill "$(cat child.pid)"
    until_true 5 ended "$(cat child.pid)"
    run take
    [ "$status" -eq 0 ]
}

@test "a number that is another process now is stale" {
    owner "$(uname -n):$$:1::0"
    run take
    [ "$status" -eq 0 ]
}

@test "the lock of another host is respected; the message says how to remove it" {
    owner "elsewhere:1:1:17:0"
    run take
    [ "$status" -eq 1 ]
    [ "$output" = "lock.sh: dir is in use by process 1 on elsewhere (Slurm job 17). If\
 that has ended: rm dir/.lock" ]
    rm dir/.lock
    run take
    [ "$output" = taken ]
}

@test "a job that Slurm has started again, on another host, takes over its own lock" {
    owner "elsewhere:1:1:17:0"
    SLURM_JOB_ID=17 run take
    [ "$status" -eq 1 ] # two in one job
    SLURM_JOB_ID=18 SLURM_RESTART_COUNT=1 run take
    [ "$status" -eq 1 ]
    SLURM_JOB_ID=17 SLURM_RESTART_COUNT=1 run take
    [ "$status" -eq 0 ]
}

@test "of many that find a stale lock, one at a time has the directory" {
    local i pids=()
    owner "$(uname -n):$$:1::0"
    for ((i = 0; i < 20; i++)); do
        # whoever comes in finds nobody, or says so in the file two
        bash -c '. "$1/lock.sh"; lock dir 2> /dev/null || exit 0
            mkdir inside || echo "$$" >> two
            sleep 0.2; rmdir inside; echo "$$" >> served; unlock dir' _ "$UTILS" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}" # alone it would wait for bats' own timer too
    [ -s served ]
    [ ! -e two ]
    [ ! -L dir/.lock.stale ]
}

@test "a directory that cannot be locked is an error, not free" {
    touch dir/.lock
    run take
    [ "$status" -eq 1 ]
    [[ "$output" == *"expected to make or to read dir/.lock: "* ]]
    run bash -c '. "$1/lock.sh"; lock none' _ "$UTILS"
    [ "$status" -eq 1 ]
    [[ "$output" == *"none/.lock"* ]]
}
