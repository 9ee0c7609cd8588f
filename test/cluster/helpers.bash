# shellcheck shell=bash
# What the tests of slurm.pl and queue.pl share. To be sourced by bats.

# Starts a cluster with the given script in $CLUSTER, or skips all tests of the file
# with the reason that the script gives.
start_cluster() {
    local status=0
    CLUSTER=$(mktemp -d /tmp/pruneasr.XXXXXX)
    export CLUSTER
    chmod 755 "$CLUSTER"
    "$BATS_TEST_DIRNAME/$1" "$CLUSTER" > "$CLUSTER/start.out" 2>&1 3>&- \
        || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$CLUSTER/start.out")"
    cat "$CLUSTER/start.out"
    return "$status"
}

stop_cluster() {
    [ ! -e "$CLUSTER/env.sh" ] || "$BATS_TEST_DIRNAME/$1" "$CLUSTER"
    rm -rf "$CLUSTER"
}

enter() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH:/usr/sbin
    # a lost job is to be noticed at once: there is no NFS here
    export QUEUE_GRACE_SECONDS=4
    # shellcheck source=/dev/null
    . "$CLUSTER/env.sh"
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# The output of the command in a log.
body() {
    grep -v '^#' "$1"
}

load ../wait.bash

# Runs a program in the background; its number is in the file "pid", its output in
# "said" and its exit status in "ended".
behind() {
    (
        status=0
        "$@" > said 2>&1 &
        echo $! > pid
        wait $! || status=$?
        echo "$status" > ended
    ) > /dev/null 2>&1 3>&- &
    until_true 5 test -s pid
}

# What a test that failed left behind.
end_behind() {
    local file
    for file in "$BATS_TEST_TMPDIR"/{,*/}pid; do
        [ ! -s "$file" ] || kill "$(cat "$file")" 2> /dev/null || true
    done
}

# The program that behind() started has ended with the status $2 within $1 seconds.
ended_with() {
    until_true "$1" test -s ended || kill "$(cat pid)"
    cat said
    [ "$(cat ended)" = "$2" ]
}

# Kills the slurmd of a node and the jobs there with their slurmstepd, as a loss of
# power would. The environment tells our jobs from those of other clusters.
lose_node() {
    local file process
    local -a doomed=("$(cat "$CLUSTER/slurmd.$1.pid")")
    for file in /proc/[0-9]*/environ; do
        grep -qzx "SLURMD_NODENAME=$1" "$file" 2> /dev/null || continue
        grep -qzx "SLURM_CONF=$CLUSTER/slurm.conf" "$file" || continue
        process=$(basename "${file%/environ}")
        doomed+=("$process")
        process=$(ps -o ppid= -p "$process" | tr -d ' ')
        [ "$(cat "/proc/$process/comm")" != slurmstepd ] || doomed+=("$process")
    done
    kill -9 "${doomed[@]}" || true # some are gone before their turn
}

node_is() {
    sinfo -h -n "$1" -o %T | grep -q "^$2"
}
