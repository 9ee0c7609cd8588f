# shellcheck shell=bash
# Hypotheses -> exp/<task>_<system>_seed<seed>/decode/<set>/score_{wer,cer} (ASR) or
# score_slu.json (SLU), and what a recipe's local/score.sh makes

stage_score() {
    local system this_seed set dir scorer=score
    if [ "${task}" = slu ]; then scorer=score_slu; fi
    while read -r system this_seed; do
        for set in ${test_sets}; do
            dir=$(experiment_dir "${system}" "${this_seed}")/decode/${set}
            need "${dir}/text" decode
            once "${dir}/.scored" python -m "pruneasr.bin.${scorer}" \
                --ref "data/${set}/text" --hyp "${dir}/text" --output "${dir}"
            if [ -e local/score.sh ]; then
                once "${dir}/.scored_local" local/score.sh "data/${set}" "${dir}"
            fi
        done
    done < <(experiments)
}
