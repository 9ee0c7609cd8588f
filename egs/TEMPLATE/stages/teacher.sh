# shellcheck shell=bash
# Audio -> exp/teacher: rounds of masked pre-training, each on clusters of better
# features. A published encoder (--teacher) needs none of it.

stage_teacher() {
    if [ -n "${teacher}" ]; then
        log "the teacher is ${teacher}"
        return
    fi
    need "data/${pretrain_set}/utt2num_samples" data
    local encoder=${expdir}/init features=mfcc round=0 config
    once "${encoder}/.done" python -m pruneasr.bin.init_encoder \
        --config "${teacher_config}" --seed "${seed}" --output "${encoder}"
    for config in ${pretrain_configs}; do
        round=$((round + 1))
        pretrain_round "${round}" "${config}" "${encoder}" "${features}"
        encoder=${expdir}/pretrain${round}/encoder
        features=${cluster_layer}
    done
    once "${expdir}/teacher/.done" cp -r "${encoder}/." "${expdir}/teacher"
}

pretrain_round() { # ROUND CONFIG ENCODER FEATURES
    local clusters=${expdir}/clusters$1 dir=${expdir}/pretrain$1 number
    number=$(sed -n 's/^num_clusters: *//p' "$2")
    # shellcheck disable=SC2046,SC2086  # lists of words
    once "${clusters}/.done" ${train_cmd} $(threads) "${clusters}/cluster.log" \
        env OMP_NUM_THREADS="${num_threads}" python -m pruneasr.bin.cluster \
        --train "data/${pretrain_set}" --encoder "$3" --features "$4" \
        --num-clusters "${number}" --output "${clusters}" \
        "data/${pretrain_set}" "data/${valid_set}"
    encoder_training "pretrain$1" "${dir}" \
        python -m pruneasr.bin.pretrain_train --config "$2" --encoder "$3" \
        --train_data_path_and_name_and_type \
        "${clusters}/${pretrain_set},labels,text_int" \
        --valid_data_path_and_name_and_type \
        "${clusters}/${valid_set},labels,text_int"
}
