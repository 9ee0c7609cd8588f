#!/bin/bash
# Stops what start_sge.sh started in DIR: the jobs, the daemons and the namespace, all
# found by their pid files. A clean end takes a qmaster ten seconds, which nobody needs
# here: it is killed.
#   stop_sge.sh DIR
set -euo pipefail

[[ $# -eq 1 ]] || {
    echo "Usage: $0 DIR" >&2
    exit 1
}
dir=$1

delete_jobs() {
    local tries
    timeout 5 qdel -u "$(id -un)" > /dev/null 2>&1 || return 0
    for ((tries = 0; tries < 50; tries++)); do
        [[ -n $(timeout 5 qstat -u "$(id -un)" 2> /dev/null) ]] || return 0
        sleep 0.2
    done
}

if [[ -e $dir/env.sh ]]; then
    # shellcheck source=/dev/null
    . "$dir/env.sh"
    delete_jobs
fi
for name in execd qmaster namespace; do
    file=$dir/$name.pid
    [[ -s $file ]] || continue
    case $(readlink "/proc/$(< "$file")/exe" || true) in
        */sge_execd | */sge_qmaster | */sleep) kill -9 "$(< "$file")" ;;
    esac
    rm "$file"
done
