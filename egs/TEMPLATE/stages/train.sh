# shellcheck shell=bash
# Encoders -> exp/<task>_<system>_seed<seed>: the same ESPnet fine-tuning for each.

# shellcheck source=/dev/null
. "${template}/stages/stats.sh"

stage_train() {
    need "${stats_dir}/train/text_shape.tokens" stats
    local system dir maker
    for system in ${systems}; do
        dir=$(encoder_of "${system}")
        maker=recover
        if [ "${system}" = teacher ]; then maker=teacher; fi
        need "${dir}/config.json" "${maker}"
    done
    side_by_side fine_tune < <(experiments)
}

fine_tune() { # SYSTEM SEED
    local dir
    dir=$(experiment_dir "$1" "$2")
    log "output ${dir}, log ${dir}/train.log"
    # shellcheck disable=SC2046,SC2086  # lists of words
    once "${dir}/.done" ${cuda_cmd} --gpu "${ngpu}" "${dir}/train.log" \
        python -m pruneasr.run -m "espnet2.bin.${task}_train" $(task_options) \
        --frontend_conf ckpt="$(encoder_of "$1")" --output_dir "${dir}" \
        --resume true --seed "$2" --multiprocessing_distributed true \
        --train_shape_file "${stats_dir}/train/speech_shape" \
        --train_shape_file "${stats_dir}/train/text_shape.tokens" \
        --valid_shape_file "${stats_dir}/valid/speech_shape" \
        --valid_shape_file "${stats_dir}/valid/text_shape.tokens"
}
