# shellcheck shell=bash
# Lengths of all inputs -> exp/<task>_stats/{train,valid}/*_shape. No model is built,
# and no GPU used: the job runs where there may be none.

stage_stats() {
    need "${tokens}/tokens.txt" tokens
    log "output ${stats_dir}, log ${stats_dir}/stats.log"
    # shellcheck disable=SC2046,SC2086  # lists of words
    once "${stats_dir}/collected" ${train_cmd} "${stats_dir}/stats.log" \
        python -m pruneasr.run -m "espnet2.bin.${task}_train" --collect_stats true \
        $(task_options 0) --output_dir "${stats_dir}" \
        --train_shape_file "data/${train_set}/wav.scp" \
        --valid_shape_file "data/${valid_set}/wav.scp"
    "${dry_run}" && return
    # ESPnet sorts batches by length and token count: "<length>,<vocabulary>"
    local set size
    size=$(wc -l < "${tokens}/tokens.txt")
    for set in train valid; do
        sed "s/\$/,${size}/" "${stats_dir}/${set}/text_shape" \
            > "${stats_dir}/${set}/text_shape.tokens"
    done
}
