# shellcheck shell=bash
# Keeps other runs out of a directory, also those on other machines. To be sourced.
#
#   lock DIR      take it, or say on stderr who has it, and return 1
#   unlock DIR    give it back; does nothing where it is not ours, so it suits a trap
#
# The lock is the symbolic link DIR/.lock to "HOST:PID:START:JOB:RESTARTS", its owner:
# to make one is a single step on NFS too, and whoever sees the lock sees the owner.
# START is when the process began, for a number is used again; JOB is Slurm's. The lock
# of a process that has ended (kill -9) is stale and is taken over.

# lock_start PID: when it began, in clock ticks since boot; nothing if it has ended.
lock_start() {
    local stat fields
    { stat=$(< "/proc/$1/stat"); } 2> /dev/null || return 0
    read -r -a fields <<< "${stat##*) }" # a name may hold spaces and parentheses
    # a zombie has ended, only nobody has asked
    [[ ${fields[0]} == [ZX] ]] || echo "${fields[19]}"
}

# What this process starts inherits it, and is known by it.
LOCK_OWNER=$(uname -n):$$:$(lock_start $$):${SLURM_JOB_ID:-}:${SLURM_RESTART_COUNT:-0}
export LOCK_OWNER

lock() {
    local dir=$1 owner error
    error=$(ln -sT "${LOCK_OWNER}" "${dir}/.lock" 2>&1) && return
    owner=$(readlink "${dir}/.lock") || {
        echo "lock.sh: expected to make or to read ${dir}/.lock: ${error}" >&2
        return 1
    }
    # NFS may carry a request out and report it as failed
    if [ "${owner}" = "${LOCK_OWNER}" ]; then return; fi
    lock_is_stale "${dir}" "${owner}" && lock_remove "${dir}" "${owner}" && lock "${dir}"
}

unlock() {
    if [ "$(readlink "$1/.lock")" = "${LOCK_OWNER}" ]; then rm "$1/.lock"; fi
}

# lock_is_stale DIR OWNER: else says why not.
lock_is_stale() {
    local host pid start job restarts left
    IFS=: read -r host pid start job restarts <<< "$2"
    # Slurm starts a job again when it has ended, maybe elsewhere
    if [ -n "${job}" ] && [ "${job}" = "${SLURM_JOB_ID:-}" ] \
        && [ "${restarts}" != "${SLURM_RESTART_COUNT:-0}" ]; then return; fi
    left=$(lock_jobs "$2")
    local who="process ${pid} on ${host}${job:+ (Slurm job ${job})}"
    if [ "${host}" != "$(uname -n)" ]; then
        echo "lock.sh: $1 is in use by ${who}. If that has ended: rm $1/.lock" >&2
    elif [ "$(lock_start "${pid}")" = "${start}" ]; then
        echo "lock.sh: $1 is in use by ${who}" >&2
    elif [ -n "${left}" ]; then
        echo "lock.sh: $1 was in use by ${who}, which has ended, but what it started" \
            "has not; end that first: kill ${left}" >&2
    else
        echo "lock.sh: $1 was in use by ${who}, which has ended: taking over. What it" \
            "gave to a batch system may still run" >&2
        return
    fi
    return 1
}

# lock_jobs OWNER: what it started on this machine and what still runs.
lock_jobs() {
    # grep fails where processes come and go
    { grep -lsxzF "LOCK_OWNER=$1" /proc/[0-9]*/environ || true; } | cut -d / -f 3 | xargs
}

# lock_remove DIR OWNER: of several runs that find the same stale lock, one removes it,
# and none the lock of a run that was faster.
lock_remove() {
    ln -sT "${LOCK_OWNER}" "$1/.lock.stale" 2> /dev/null || {
        echo "lock.sh: another run is taking over $1. If none is: rm $1/.lock.stale" >&2
        return 1
    }
    if [ "$(readlink "$1/.lock")" = "$2" ]; then rm "$1/.lock"; fi
    rm "$1/.lock.stale"
}
