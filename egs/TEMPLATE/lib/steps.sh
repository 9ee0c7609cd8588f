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
# The marker keeps the command and its settings: others in their place are refused, for
# their user would take the old result for the new one. So is a training that was begun with
# others and would go on from its checkpoint. All --expdir share data/, so it is locked
# while something in it is made.
once() {
    local marker=$1 begun=$1.begun
    shift
    if "${dry_run}"; then
        command_line "$@"
        return
    fi
    if [ -e "${marker}" ]; then
        check_marker "${marker}" "$@"
        log "done before: ${marker}"
        return
    fi
    if [ -e "${begun}" ] && [ -e "${marker%/*}/checkpoint.pth" ]; then
        check_marker "${begun}" "$@"
    fi
    mkdir -p "$(dirname "${marker}")"
    if [[ ${marker} == data/* ]]; then lock data || exit 1; fi
    local start=${SECONDS}
    record "$@" > "${begun}"
    in_wait "$@" || die "failed; the reason is above or in the logs in ${marker%/*}"
    echo "$((SECONDS - start))" > "${marker}.seconds"
    mv "${begun}" "${marker}"
    if [[ ${marker} == data/* ]]; then unlock data; fi
}

# command_line COMMAND...: as one would type it, written at once: others write side by side
command_line() {
    local words
    printf -v words '%q ' "$@"
    echo "${words}"
}

# record COMMAND...: what a marker keeps: the command, and of every YAML file that it names
# a digest, in which comments do not count.
record() {
    local word
    command_line "$@"
    for word; do
        if [[ ${word} == *.yaml ]] && [ -e "${word}" ]; then
            printf '%s %.16s\n' "${word}" \
                "$(sed -E 's/(^|[[:space:]]+)#.*//; /^$/d' "${word}" | sha256sum)"
        fi
    done
}

# check_marker MARKER COMMAND...
check_marker() {
    local marker=$1 before now
    local ways="remove ${1%/*} and what was made of it, or choose another --expdir"
    shift
    before=$(what_runs < "${marker}")
    now=$(record "$@" | what_runs)
    case ${marker} in
        data/*) ways=${ways%, or*} ;;
        *.begun) ways+=", or remove ${marker} alone to go on from its checkpoint" ;;
    esac
    [ "${before}" = "${now}" ] || die "${marker} was made by another command, or with \
other settings:
${before}
than now:
${now}
Give the same options, or ${ways}"
}

# what_runs: of a command, what decides its result: not who starts it where, with how
# many jobs, threads and GPUs (--cmd-backend, --nj, --num-threads, --ngpu, --num-nodes).
what_runs() { sed -E 's/^.* (python -m )/\1/; s/ --(ngpu|cmd-backend|device) [^ ]+//g'; }
