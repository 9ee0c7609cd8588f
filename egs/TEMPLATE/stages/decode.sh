# shellcheck shell=bash
# Fine-tuned models -> exp/<task>_<system>_seed<seed>/decode/<set>/text

stage_decode() {
    local system this_seed set
    while read -r system this_seed; do
        for set in ${test_sets}; do
            decode "$(experiment_dir "${system}" "${this_seed}")" "${set}"
        done
    done < <(experiments)
}

decode() { # EXPERIMENT SET
    local model=$1/${inference_model} dir=$1/decode/$2 audio=data/$2/wav.scp
    local ngpu=0 nj=${nj} jobs options=() command
    need "${model}" train
    need "${audio}" data
    log "output ${dir}/text, log ${dir}/log/inference.*.log"
    if "${gpu_inference}"; then
        ngpu=1 options=(--gpu 1)
        nj=$(num_trainings) # on this machine all would take the same GPU
    fi
    command=(python -m pruneasr.run -m "espnet2.bin.${task}_inference"
        --config "${inference_config}" --batch_size 1 --ngpu "${ngpu}"
        --data_path_and_name_and_type "${audio},speech,sound"
        --key_file "${dir}/log/keys.JOB.scp"
        "--${task}_train_config" "$1/config.yaml" "--${task}_model_file" "${model}"
        --output_dir "${dir}/log/output.JOB")
    jobs=$(num_parts "${audio}")
    if ! "${dry_run}" && [ ! -e "${dir}/.done" ]; then
        if begun; then
            options+=(--pick failed) # or never run
            jobs=$(find "${dir}/log" -name "keys.*.scp" | wc -l)
        else
            rm -rf "${dir}/log" "${dir}/text"
            mkdir -p "${dir}/log"
            split_list "${audio}" "${dir}/log/keys"
            decoding > "${dir}/log/command"
        fi
    fi
    # shellcheck disable=SC2086  # decode_cmd is words
    once "${dir}/.done" ${decode_cmd} "${options[@]}" JOB=1:"${jobs}" \
        "${dir}/log/inference.JOB.log" "${command[@]}"
    if ! "${dry_run}" && [ ! -e "${dir}/text" ]; then
        sort -u "${dir}"/log/output.*/1best_recog/text > "${dir}/text.tmp"
        mv "${dir}/text.tmp" "${dir}/text"
    fi
}

# decoding: what decides its result, but for model and audio.
decoding() {
    echo "${command[*]}"
    cat "${inference_config}"
}

# begun: whether jobs of this command, model and audio were begun before; those that have
# ended well are not run again.
begun() {
    [ "${dir}/log/command" -nt "${model}" ] \
        && cmp -s "${dir}/log/command" <(decoding) \
        && cmp -s <(sort "${dir}"/log/keys.*.scp) <(sort "${audio}")
}
