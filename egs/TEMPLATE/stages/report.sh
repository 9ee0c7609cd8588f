# shellcheck shell=bash
# Everything above -> RESULTS.md and figures/ in --results-dir, and the model card of the
# pruned encoder (README.md, card.html, figures/) beside it

stage_report() {
    local arguments=() system this_seed dir set scores=score_wer.json
    if [ "${task}" = slu ]; then scores=score_slu.json; fi
    for system in ${systems}; do
        arguments+=(--encoder "${system}=$(encoder_of "${system}")")
    done
    while read -r system this_seed; do
        dir=$(experiment_dir "${system}" "${this_seed}")
        for set in ${test_sets}; do need "${dir}/decode/${set}/${scores}" score; done
    done < <(experiments)
    # seeds of earlier calls count too
    for system in ${systems}; do
        for dir in "${expdir}/${task}_${system}_seed"*; do
            if [ -e "${dir}/decode/${test_sets%% *}/${scores}" ]; then
                arguments+=(--experiment "${system}=${dir}")
            fi
        done
    done
    log "output ${results_dir}/RESULTS.md, ${results_dir}/figures"
    # a given encoder was made, and is described, elsewhere
    if [ -z "${pruned_encoder}" ] && [[ " ${systems} " == *" pruned "* ]]; then
        log "output $(encoder_of pruned)/README.md, $(encoder_of pruned)/card.html"
        arguments+=(--card)
    fi
    "${dry_run}" && return
    mkdir -p "${results_dir}"
    # shellcheck disable=SC2086  # test_sets is a list
    OMP_NUM_THREADS=${num_threads} python -m pruneasr.bin.results \
        --title "${recipe_title}" --task "${task}" \
        --expdir "${expdir}" --test-sets ${test_sets} \
        --audio "data/${test_sets%% *}/wav.scp" "${arguments[@]}" --output "${results_dir}" \
        ${readme:+--readme "${readme}"} &
    wait $! # where bash acts on signals
}
