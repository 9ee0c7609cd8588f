# shellcheck shell=bash
# Processes: who works in a folder, what a signal ends, what runs side by side.

# occupy FOLDER: keep other runs out of it until this one ends; a signal ends what runs.
occupy() {
    heed_signals
    trap 'end_jobs; requeue; exit 138' USR1 # Slurm warns of the time limit
    if "${dry_run}"; then return; fi
    mkdir -p "$1"
    # shellcheck disable=SC2064  # the folder as it is called now
    trap "unlock '$1'; unlock data" EXIT
    lock "$1" || exit 1
}

# heed_signals: also in every subshell that starts jobs. It begins without traps, and
# where `pkill -f run.sh` reaches it first its jobs would be nobody's.
heed_signals() {
    trap 'end_jobs; exit 130' INT
    trap 'end_jobs; exit 143' TERM
    trap 'end_jobs; exit 129' HUP
}

# in_wait COMMAND...: bash acts on a signal while it waits, not while it runs a command.
in_wait() {
    "$@" &
    wait $!
}

# end_jobs: what was started may save its work, and ends.
end_jobs() {
    local pids self=${BASHPID}
    trap '' INT TERM HUP USR1
    mapfile -t pids < <(descendants "${self}")
    if [ "${self}" = "$$" ]; then
        echo "run.sh: stopping what runs; the same command starts again from there" >&2
    fi
    kill "${pids[@]}" 2> /dev/null || true
    # run.pl gives its jobs some seconds to end
    while alive "${pids[@]}"; do sleep 0.2; done
}

# alive PID...: whether one of them runs. Not by kill -0, which finds zombies too, and
# where process 1 is no init nobody clears those away.
alive() {
    local pid
    for pid; do [ -z "$(lock_start "${pid}")" ] || return 0; done
    return 1
}

# requeue: where the recipe is itself a job of Slurm, it asks to be started again.
requeue() { [ -z "${SLURM_JOB_ID:-}" ] || scontrol requeue "${SLURM_JOB_ID}"; }

# descendants PID: the processes that it started, and theirs. Without ps, which small
# containers lack.
descendants() {
    local child
    while IFS=/ read -r _ _ child _; do
        if [ "${child}" != "${BASHPID}" ]; then
            echo "${child}"
            descendants "${child}"
        fi
    done < <(grep -ls "^PPid:[[:space:]]$1\$" /proc/[0-9]*/status)
}

# side_by_side FUNCTION: call it with the words of each line of stdin, --nj at a time, or
# one where all would take the same GPUs. Its stdin is no < <(...): bash 5.3 counts that
# process among those that wait -n waits for.
side_by_side() {
    local running=0 failed=false words jobs
    jobs=$(num_trainings)
    while read -r -a words; do
        ((${#words[@]} > 0)) || continue # <<< has a line where there is nothing
        if ((running >= jobs)); then
            wait -n || failed=true
            running=$((running - 1))
        fi
        (heed_signals; "$1" "${words[@]}") < /dev/null &
        running=$((running + 1))
    done
    for ((; running > 0; running--)); do wait -n || failed=true; done
    if "${failed}"; then die "a job failed; see the log that is named above"; fi
}
