# shellcheck shell=bash
# Stages: the array `stages` names them; those from --stage to --stop-stage are run.

declare -A skipped=() # of the stages that are left out, why

# stage_range: the numbers of the first and the last stage, in the variables of that name.
stage_range() {
    first=$(stage_number "${stage}")
    last=$(stage_number "${stop_stage}")
    if ((first > last)); then
        die "--stage ${stage} comes after --stop-stage ${stop_stage}"
    fi
}

# stage_number S: the number of a stage, given by number or name.
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

# runs NAME...: whether one of these stages is run, and not skipped.
runs() {
    local name number
    for name in "$@"; do
        number=$(stage_number "${name}")
        if ((first <= number && number <= last)) && [ -z "${skipped[${name}]:-}" ]; then
            return 0
        fi
    done
    return 1
}

# run_stages: for each of them the function stage_<name>.
run_stages() {
    local number
    for ((number = first; number <= last; number++)); do
        stage_name=${stages[number - 1]}
        if [ -n "${skipped[${stage_name}]:-}" ]; then
            log "skipped: ${skipped[${stage_name}]}"
            continue
        fi
        log "stage ${number} of ${#stages[@]}"
        "stage_${stage_name}"
    done
    stage_name=
    log "successfully finished [elapsed=${SECONDS} s]"
}

# check_seeds
check_seeds() {
    [[ ${seeds} =~ ^[0-9]+(\ [0-9]+)*$ ]] \
        || die "expected numbers in --seeds, e.g. \"1 2 3\"; found '${seeds}'"
}
