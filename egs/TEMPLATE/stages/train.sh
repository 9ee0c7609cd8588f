# shellcheck shell=bash
# Encoders -> exp/<task>_<system>_seed<seed>: the same ESPnet fine-tuning for each.

stage_train() {
    need "${stats_dir}/train/text_shape.tokens" stats
    local system dir maker
    for system in ${systems}; do
        dir=$(encoder_of "${system}")
        maker=recover
        if [ "${system}" = teacher ]; then maker=teacher; fi
        need "${dir}/config.json" "${maker}"
    done
    side_by_side fine_tune <<< "$(experiments)"
}

fine_tune() { # SYSTEM SEED
    local dir init=()
    dir=$(experiment_dir "$1" "$2")
    if "${word_detectors}"; then
        init=(--init_param "${dir}/words.pth")
        # shellcheck disable=SC2086  # train_cmd is words
        once "${dir}/.words" ${train_cmd} "${dir}/words.log" \
            python -m pruneasr.bin.detect_words --encoder "$(encoder_of "$1")" \
            --train "data/${train_set}" --valid "data/${valid_set}" \
            --tokens "${tokens}" --seed "$2" --output "${dir}/words.pth"
    fi
    # shellcheck disable=SC2046  # a list of words
    task_training "${dir}" \
        python -m pruneasr.bin.task_train --task "${task}" $(task_options "${ngpu}") \
        --frontend_conf ckpt="$(encoder_of "$1")" --output_dir "${dir}" \
        --resume true --seed "$2" --multiprocessing_distributed true "${init[@]}"
}
