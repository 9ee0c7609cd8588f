#!/bin/bash
# Stops what start_slurm.sh started in DIR: jobs first, since they outlive their
# slurmd, then the daemons, found by their pid files alone.
#   stop_slurm.sh DIR
set -euo pipefail

[[ $# -eq 1 ]] || {
    echo "Usage: $0 DIR" >&2
    exit 1
}
dir=$1
export SLURM_CONF=$dir/slurm.conf

cancel_jobs() {
    local tries
    timeout 5 scancel -u "$(id -un)" 2> /dev/null || return 0
    for ((tries = 0; tries < 60; tries++)); do
        [[ -n $(timeout 5 squeue -h 2> /dev/null) ]] || return 0
        sleep 0.2
    done
}

# A dead daemon may stay as a zombie where nobody reaps orphans.
alive() {
    [[ $(ps -o stat= -p "$1" || true) == [!Z]* ]]
}

daemons() {
    local file pid
    for file in "$dir"/slurmd.*.pid "$dir/slurmctld.pid" "$dir/munge/pid"; do
        [[ -s $file ]] || continue
        pid=$(< "$file")
        case $(readlink "/proc/$pid/exe" || true) in
            */slurmd* | */slurmctld* | */munged*) echo "$pid" ;;
        esac
    done
}

[[ ! -e $SLURM_CONF ]] || cancel_jobs
mapfile -t pids < <(daemons)
for pid in "${pids[@]}"; do kill "$pid"; done
for pid in "${pids[@]}"; do
    for ((tries = 0; tries < 50; tries++)); do
        alive "$pid" || break
        sleep 0.1
    done
    ! alive "$pid" || kill -9 "$pid"
done
rm -f "$dir"/slurmd.*.pid "$dir/slurmctld.pid"
