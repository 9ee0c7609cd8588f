# shellcheck shell=bash
# Steps: what they say, what they need, and that each is run once.

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

# note_call CALL FOLDER: RESULTS.md says what was called, and of which code.
note_call() {
    local commit
    if "${dry_run}"; then return; fi
    commit=$(git describe --always --exclude '*' --dirty=" and local changes" \
        2> /dev/null || echo none)
    echo "$1  # commit ${commit}" >> "$2/commands"
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
