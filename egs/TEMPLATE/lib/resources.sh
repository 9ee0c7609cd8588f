# shellcheck shell=bash
# How much runs at a time: jobs, threads, trainings.

# num_cores: of this machine. nproc would obey OMP_NUM_THREADS, which path.sh sets to 1 and
# which says nothing about how many jobs fit.
num_cores() {
    echo "${SLURM_CPUS_PER_TASK:-$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)}"
}

# default_jobs: what --nj is where it is not given: on this machine the cores; a batch
# system has other machines, and 32 jobs are what ESPnet's asr.sh gives it.
default_jobs() {
    case "${cmd_backend}" in
        local | stdout) num_cores ;;
        *) echo 32 ;;
    esac
}

# default_threads [NUMBER]: of this machine all, shared by so many trainings at a time; a
# batch system's are another machine's.
default_threads() {
    local threads=1
    case "${cmd_backend}" in
        local | stdout) threads=$(($(num_cores) / ${1:-1})) ;;
    esac
    echo $((threads > 0 ? threads : 1))
}

# threads: what a job of --num-threads asks a batch system for. Of one thread nothing, so
# that what the site gives with a GPU stands.
threads() { ((num_threads == 1)) || echo "--num-threads ${num_threads}"; }

# threads_each: of one process of a training, which has one for each GPU of its machine.
threads_each() {
    local each=$((num_threads / (ngpu > 0 ? ngpu : 1)))
    echo $((each > 0 ? each : 1))
}

# num_trainings: how many trainings run side by side: on the GPUs of this machine, which
# all would take alike, one after the other.
num_trainings() {
    case "${ngpu} ${cmd_backend}" in
        [1-9]*\ local | [1-9]*\ stdout) echo 1 ;;
        *) echo "${nj}" ;;
    esac
}

# num_parts LIST: --nj, or the number of lines if there are fewer.
num_parts() {
    local lines=${nj}
    if [ -e "$1" ]; then lines=$(wc -l < "$1"); fi
    echo $((lines < nj ? lines : nj))
}

# split_list LIST STEM: into STEM.1.scp and so on, a part for each job.
split_list() {
    local part parts=()
    for ((part = 1; part <= $(num_parts "$1"); part++)); do parts+=("$2.${part}.scp"); done
    utils/split_scp.pl "$1" "${parts[@]}"
}
