#!/bin/bash
# Starts a throw-away Grid Engine of one host: one qmaster and one execd, with all
# their files under DIR. They would listen on every address of the machine, so they run
# in a network namespace that has only loopback; DIR/bin has the clients for it.
#
#   start_sge.sh DIR      then  . DIR/env.sh      and at the end  stop_sge.sh DIR
#
# Exit status 77, with the reason on stderr, where it cannot run. Debian's packages:
# gridengine-master gridengine-exec gridengine-client, with msmtp-mta and the debconf
# answer "shared/gridengineconfig boolean false", so that they set up nothing.
set -euo pipefail

[[ $# -eq 1 ]] || {
    echo "Usage: $0 DIR" >&2
    exit 1
}
here=$(cd "$(dirname "$0")" && pwd)
lib=/usr/lib/gridengine
share=/usr/share/gridengine
host=$(hostname)
port=17300
clients=(qsub qstat qdel qacct qconf qmod qhost)

cannot() {
    echo "$(basename "$0"): $1" >&2
    exit 77
}

check_machine() {
    local program address
    for program in sge_qmaster sge_execd sge_shepherd qsub spoolinit; do
        [[ -x $lib/$program ]] || cannot "$lib/$program is not installed"
    done
    command -v ip > /dev/null || cannot "ip (Debian: iproute2) is not installed"
    unshare -n true 2> /dev/null \
        || cannot "no right to make a network namespace, without which Grid Engine \
would listen on every address"
    address=$(getent hosts "$host" | awk 'NR == 1 {print $1}')
    [[ $address == 127.* ]] || cannot "$host resolves to '$address' and not to 127.x;\
 add '127.0.0.1 $host' to /etc/hosts"
}

# 127.0.0.2: with 127.0.0.1 alone, glibc thinks that there is no IPv4.
make_namespace() {
    local client
    unshare -n sh -c 'ip link set lo up && ip addr add 127.0.0.2/8 dev lo &&
        exec sleep infinity' > /dev/null 2>&1 &
    echo $! > "$dir/namespace.pid"
    inside=(nsenter -n -t "$(< "$dir/namespace.pid")")
    until "${inside[@]}" ip addr | grep -qF 127.0.0.2; do sleep 0.1; done
    mkdir -p "$dir/bin"
    for client in "${clients[@]}"; do
        printf '#!/bin/sh\nexec %s %s/%s "$@"\n' "${inside[*]}" "$lib" "$client" \
            > "$dir/bin/$client"
        chmod +x "$dir/bin/$client"
    done
}

write_env() {
    cat > "$dir/env.sh" << END
export SGE_ROOT='$dir/root' SGE_CELL=default SGE_CLUSTER_NAME=pruneasrtest
export SGE_QMASTER_PORT=$port SGE_EXECD_PORT=$((port + 1)) SGE_ARCH=lx-amd64
export PATH='$dir/bin':\$PATH
END
}

# The address 127.0.0.1 has several names, which are one host.
write_bootstrap() {
    local -r common=$dir/root/default/common
    mkdir -p "$common" "$dir/qmaster" "$dir/execd"
    ln -s "$share/util" "$dir/root/util"
    ln -s "$lib" "$dir/root/utilbin"
    echo "$host" > "$common/act_qmaster"
    echo pruneasrtest > "$common/cluster_name"
    getent hosts 127.0.0.1 | awk -v host="$host" '{
        printf "%s", host
        for (i = 2; i <= NF; i++) if ($i != host) printf " %s", $i
        print ""}' > "$common/host_aliases"
    printf '%-24s%s\n' admin_user none default_domain none ignore_fqdn true \
        spooling_method classic spooling_lib libspoolc \
        spooling_params "$common;$dir/qmaster" binary_path "$lib" \
        qmaster_spool_dir "$dir/qmaster" security_mode none listener_threads 2 \
        worker_threads 2 scheduler_threads 1 > "$common/bootstrap"
}

# Short times, so that faults are noticed within seconds; root may run jobs.
spool_defaults() {
    local -r common=$dir/root/default/common
    awk -v dir="$dir" '
        /^execd_spool_dir/ {$2 = dir "/execd"}
        /^(min_uid|min_gid)/ {$2 = 0}
        /^load_report_time/ {$2 = "00:00:02"}
        /^max_unheard/ {$2 = "00:00:06"}
        /^mailer/ {$2 = "/bin/true"}
        /^administrator_mail/ {$2 = "none"}
        /^reporting_params/ {$0 = "reporting_params accounting=true reporting=false" \
            " flush_time=00:00:01 accounting_flush_time=00:00:00 joblog=false" \
            " sharelog=00:00:00"}
        !/^xterm/' "$share/default-configuration" > "$dir/configuration"
    "$lib/spoolinit" classic libspoolc "$common;$dir/qmaster" init
    "$lib/spooldefaults" configuration "$dir/configuration"
    "$lib/spooldefaults" complexes "$share/util/resources/centry"
    "$lib/spooldefaults" usersets "$share/util/resources/usersets"
    "$lib/spooldefaults" managers "$(id -un)"
}

# The resources that conf/queue.conf names; arch must take wildcards.
add_resources() {
    qconf -sc | grep -vE '^(#|gpu |ram_free |arch )' > "$dir/complex"
    cat >> "$dir/complex" << 'END'
arch      a         RESTRING  ==  YES  NO   NONE  0
gpu       g         INT       <=  YES  YES  0     10000
ram_free  ram_free  MEMORY    <=  YES  YES  0     0
END
    qconf -Mc "$dir/complex"
    qconf -ssconf | sed -e 's/^schedule_interval .*/schedule_interval 0:0:1/' \
        -e 's/^\(flush_submit_sec\|flush_finish_sec\) .*/\1 1/' \
        -e 's/^job_load_adjustments .*/job_load_adjustments NONE/' > "$dir/schedule"
    qconf -Msconf "$dir/schedule"
}

add_host_and_queues() {
    local queue
    qconf -ah "$host"
    qconf -as "$host"
    printf '%s\n' "hostname $host" 'load_scaling NONE' 'user_lists NONE' \
        'complex_values gpu=2,ram_free=64G,slots=4' 'xuser_lists NONE' \
        'projects NONE' 'xprojects NONE' 'usage_scaling NONE' 'report_variables NONE' \
        > "$dir/host"
    qconf -Ae "$dir/host"
    printf 'group_name @allhosts\nhostlist %s\n' "$host" > "$dir/hosts"
    qconf -Ahgrp "$dir/hosts"
    qconf -Ap "$share/util/resources/pe/smp"
    for queue in all.q g.q; do
        # without a name, -sq shows the defaults
        qconf -sq | sed -e "s/^qname .*/qname $queue/" \
            -e 's/^hostlist .*/hostlist @allhosts/' -e 's/^slots .*/slots 4/' \
            -e 's/^pe_list .*/pe_list smp/' -e 's/^shell .*/shell \/bin\/bash/' \
            -e 's/^load_thresholds .*/load_thresholds NONE/' > "$dir/$queue"
        qconf -Aq "$dir/$queue"
    done
}

# daemon NAME: in the foreground of its own session, so that its number is known.
start_daemon() {
    SGE_ND=1 setsid "${inside[@]}" "$lib/sge_$1" < /dev/null >> "$dir/$1.out" 2>&1 &
    echo $! > "$dir/$1.pid"
}

until_true() {
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        ! "$@" > /dev/null 2>&1 || return 0
        sleep 0.1
    done
    echo "$(basename "$0"): gave up waiting for: $*" >&2
    tail -n 20 "$dir"/*.log "$dir"/*.out "$dir/qmaster/messages" >&2
    return 1
}

# The load is "-" until the execd has reported.
reports_load() {
    qhost -h "$host" | awk -v h="${host%%.*}" '$1 == h && $4 != "-" {ok = 1}
        END {exit !ok}'
}

check_machine
umask 022
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[[ ! -e $dir/root ]] || {
    echo "$(basename "$0"): there is a Grid Engine in $dir already" >&2
    exit 1
}
trap '[[ $? -eq 0 ]] || "$here/stop_sge.sh" "$dir"' EXIT
make_namespace
write_env
# shellcheck source=/dev/null
. "$dir/env.sh"
write_bootstrap
spool_defaults > "$dir/spool.log" 2>&1
start_daemon qmaster
until_true qconf -sh
add_resources > "$dir/resources.log" 2>&1
add_host_and_queues > "$dir/queues.log" 2>&1
start_daemon execd
until_true reports_load
echo "$(basename "$0"): $host in $dir"
