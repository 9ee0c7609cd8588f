#!/bin/bash
# Starts a throw-away Slurm on loopback: one slurmctld, a slurmd per node and a munged
# of its own, with all their files under DIR. It needs no systemd, no control groups
# and no root, and leaves the machine's own Slurm and munge alone.
#
#   start_slurm.sh DIR [NODES]    then  . DIR/env.sh   and at the end  stop_slurm.sh DIR
#
# Environment: SLURM_TEST_PORT (17100), of which 150 ports from there on are used.
# Exit status 77, with the reason on stderr, where it cannot run. Debian's packages:
# slurmctld slurmd slurm-client munge
set -euo pipefail

[[ $# -ge 1 ]] || {
    echo "Usage: $0 DIR [NODES]" >&2
    exit 1
}
nodes=${2:-2}
port=${SLURM_TEST_PORT:-17100}
here=$(cd "$(dirname "$0")" && pwd)
host=$(hostname -s)
user=$(id -un)
gpus_per_node=2
export PATH=$PATH:/usr/sbin:/sbin

cannot() {
    echo "$(basename "$0"): $1" >&2
    exit 77
}

check_machine() {
    local program address
    for program in slurmctld slurmd sinfo sbatch munged; do
        command -v "$program" > /dev/null || cannot "$program is not installed"
    done
    address=$(getent hosts "$host" | awk 'NR == 1 {print $1}')
    [[ $address == 127.* ]] || cannot "$host resolves to '$address' and not to 127.x;\
 add '127.0.0.1 $host' to /etc/hosts"
}

# munged refuses a directory that others may write to.
start_munge() {
    mkdir -p "$dir/munge"
    (umask 077 && head -c 128 /dev/urandom > "$dir/munge/key")
    munged --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
        --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" \
        --seed-file="$dir/munge/seed" --num-threads=2
}

# Slurm only looks whether a GPU's file is a character device.
make_gpus() {
    local number device
    local -r harmless=(/dev/null /dev/zero)
    mkdir -p "$dir/dev"
    for ((number = 0; number < gpus_per_node; number++)); do
        device=$dir/dev/gpu$number
        mknod "$device" c 1 3 2> /dev/null || device=${harmless[number]}
        echo "Name=gpu File=$device"
    done > "$dir/gres.conf"
}

node_lines() {
    local number
    for ((number = 1; number <= nodes; number++)); do
        echo "NodeName=n$number NodeHostname=$host NodeAddr=127.0.0.1" \
            "Port=$((port + number)) SocketsPerBoard=1 CoresPerSocket=4" \
            "ThreadsPerCore=1 RealMemory=8000 Gres=gpu:$gpus_per_node State=UNKNOWN"
    done
}

write_conf() {
    local text
    text=$(< "$here/slurm.conf")
    text=${text//@HOST@/$host}
    text=${text//@USER@/$user}
    text=${text//@PORT@/$port}
    text=${text//@SRUN_FIRST@/$((port + 50))}
    text=${text//@SRUN_LAST@/$((port + 149))}
    text=${text//@DIR@/$dir}
    text=${text//@NODES@/$(node_lines)}
    echo "$text" > "$dir/slurm.conf"
    echo "export SLURM_CONF='$dir/slurm.conf'" > "$dir/env.sh"
}

wait_until_idle() {
    local tries
    for ((tries = 0; tries < 150; tries++)); do
        [[ $(sinfo -h -N -p cpu -o %T 2> /dev/null | grep -cx idle) -ne $nodes ]] \
            || return 0
        sleep 0.2
    done
    echo "$(basename "$0"): the nodes did not come up" >&2
    tail -n 20 "$dir"/slurm*.log >&2
    return 1
}

check_machine
umask 022
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[[ ! -s $dir/slurmctld.pid ]] || {
    echo "$(basename "$0"): there is a Slurm in $dir already" >&2
    exit 1
}
trap '[[ $? -eq 0 ]] || "$here/stop_slurm.sh" "$dir"' EXIT
mkdir -p "$dir/ctld"
start_munge
make_gpus
write_conf
export SLURM_CONF=$dir/slurm.conf
slurmctld -f "$SLURM_CONF"
for ((number = 1; number <= nodes; number++)); do
    mkdir -p "$dir/spool.n$number"
    slurmd -f "$SLURM_CONF" -N "n$number"
done
wait_until_idle
echo "$(basename "$0"): $nodes nodes in $dir"
