# shellcheck shell=bash
# What the stages share: logging, checking inputs, and running each step once.

log() { echo "$(date '+%F %T') (${stage_name:-recipe}) $*"; }

die() {
    echo "run.sh: ${stage_name:+stage ${stage_name}: }$*" >&2
    exit 1
}

# need FILE STAGE: an input must exist; the message names the stage that makes it.
need() {
    if ! "${dry_run}" && [ ! -e "$1" ]; then
        die "expected $1, which stage $2 makes; run that stage first" \
            "(--stage $2 --stop-stage $2)"
    fi
}

# stage_number S: the number of a stage, out of stages, given by number or name.
stage_number() {
    local i
    for i in "${!stages[@]}"; do
        if [ "$1" = "${stages[i]}" ] || [ "$1" = "$((i + 1))" ]; then
            echo "$((i + 1))"
            return
        fi
    done
    die "unknown stage $1; stages: ${stages[*]}"
}

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

# note_call CALL FOLDER: RESULTS.md says what was called, and of which code.
note_call() {
    local commit
    if "${dry_run}"; then return; fi
    commit=$(git describe --always --exclude '*' --dirty=" and local changes" \
        2> /dev/null || echo none)
    echo "$1  # commit ${commit}" >> "$2/commands"
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
    while kill -0 "${pids[@]}" 2> /dev/null; do sleep 0.2; done
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

# once MARKER COMMAND...: run a command unless the marker says that it has succeeded.
# The marker keeps the command: another one in its place is refused, for its user would
# take the old result for the new one. All --expdir share data/, so it is locked while
# something in it is made.
once() {
    local marker=$1 command
    shift
    command=$(printf '%q ' "$@")
    if "${dry_run}"; then
        echo "${command}"
        return
    fi
    if [ -e "${marker}" ]; then
        check_marker "${marker}" "${command}"
        log "done before: ${marker}"
        return
    fi
    mkdir -p "$(dirname "${marker}")"
    if [[ ${marker} == data/* ]]; then lock data || exit 1; fi
    local start=${SECONDS}
    in_wait "$@" || die "failed; the reason is above or in the logs in ${marker%/*}"
    echo "$((SECONDS - start))" > "${marker}.seconds"
    echo "${command}" > "${marker}.tmp"
    mv "${marker}.tmp" "${marker}"
    if [[ ${marker} == data/* ]]; then unlock data; fi
}

# check_marker MARKER COMMAND
check_marker() {
    local before now apart=", or choose another --expdir"
    before=$(what_runs < "$1")
    now=$(what_runs <<< "$2")
    if [[ $1 == data/* ]]; then apart=; fi
    [ "${before}" = "${now}" ] || die "$1 was made by another command:
  ${before}
than now:
  ${now}
Give the same options, or remove ${1%/*} and what was made of it${apart}"
}

# what_runs: of a command, what decides its result: not who starts it where, with how
# many jobs, threads and GPUs (--cmd-backend, --nj, --num-threads, --ngpu, --num-nodes).
what_runs() { sed -E 's/^.* (python -m )/\1/; s/ --(ngpu|cmd-backend|device) [^ ]+//g'; }

# default_threads: of this machine all; a batch system's are another machine's.
default_threads() {
    case "${cmd_backend}" in
        local | stdout) echo "${SLURM_CPUS_PER_TASK:-$(nproc)}" ;;
        *) echo 1 ;;
    esac
}

# threads: what a job of --num-threads asks a batch system for. Of one thread nothing, so
# that what the site gives with a GPU stands.
threads() { ((num_threads == 1)) || echo "--num-threads ${num_threads}"; }

# num_trainings: how many trainings run side by side: on the GPUs of this machine, which
# all would take alike, one after the other.
num_trainings() {
    case "${ngpu} ${cmd_backend}" in
        [1-9]*\ local | [1-9]*\ stdout) echo 1 ;;
        *) echo "${nj}" ;;
    esac
}

# encoder_training NAME DIR COMMAND...: one training of an encoder, under ESPnet's
# launcher, which also starts several GPUs and nodes. It resumes by itself. Processes
# meet in a file; a job that Slurm starts again must not find addresses of the last time.
encoder_training() {
    local name=$1 dir=$2
    shift 2
    if ((num_nodes > 1 && num_threads > 1)); then
        die "--num-threads goes with one node; on several, ESPnet's launcher asks for as" \
            "many processors as GPUs"
    fi
    log "output ${dir}, log ${dir}/train.log"
    # shellcheck disable=SC2016,SC2086  # the job's shell expands; encoder_args is words
    once "${dir}/.done" python -m espnet2.bin.launch \
        --cmd "${cuda_cmd} --name ${name} $(threads)" --log "${dir}/train.log" \
        --ngpu "${ngpu}" --num_nodes "${num_nodes}" \
        --init_file_prefix "${dir}/.dist_init_"'${SLURM_RESTART_COUNT:-0}_' \
        --multiprocessing_distributed true -- \
        env OMP_NUM_THREADS="${num_threads}" "$@" \
        --output_dir "${dir}" --resume true --seed "${seed}" \
        --train_shape_file "data/${pretrain_set}/utt2num_samples" \
        --valid_shape_file "data/${valid_set}/utt2num_samples" \
        --train_data_path_and_name_and_type \
        "data/${pretrain_set}/wav.scp,speech,sound" \
        --valid_data_path_and_name_and_type "data/${valid_set}/wav.scp,speech,sound" \
        ${encoder_args}
}

# tokens_name: other tokens, other files.
tokens_name() {
    if [ "${token_type}" = bpe ]; then echo "bpe${nbpe}"; else echo "${token_type}"; fi
}

# encoder_of SYSTEM: the encoder directory that a system is fine-tuned from.
encoder_of() {
    case $1 in
        pruned) echo "${pruned_encoder:-${expdir}/recover/encoder}" ;;
        teacher) echo "${teacher:-${expdir}/teacher}" ;;
        scratch) echo "${expdir}/scratch" ;;
        distilhubert) echo "${expdir}/distilhubert/encoder" ;;
        *) die "unknown system $1; known: pruned teacher scratch distilhubert" ;;
    esac
}

# experiments: every system and seed that is fine-tuned, one "SYSTEM SEED" per line.
experiments() {
    local system this_seed
    for system in ${systems}; do
        for this_seed in ${seeds}; do
            echo "${system} ${this_seed}"
        done
    done
}

# experiment_dir SYSTEM SEED
experiment_dir() { echo "${expdir}/${task}_$1_seed$2"; }

# tune_encoder FOLDER ENCODER SEED OPTIONS: fine-tune an encoder in FOLDER/tuned, to its
# scores; OPTIONS are those of --task-args, or empty: what it starts from. It is fine-tuned
# already and needs no detectors of words.
tune_encoder() {
    once "$1/.tuned" ./run.sh --stage train --stop-stage score --systems pruned \
        --pruned-encoder "$2" --seeds "$3" --expdir "$1/tuned" --stats-dir "${stats_dir}" \
        --cmd-backend "${cmd_backend}" --ngpu "${ngpu}" --nj 1 --num-threads 1 \
        --word-detectors false ${4:+--task-args "$4"}
}

# side_by_side FUNCTION: call it with the words of each line of stdin, --nj at a time, or
# one where all would take the same GPUs.
side_by_side() {
    local running=0 failed=false words jobs
    jobs=$(num_trainings)
    while read -r -a words; do
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
