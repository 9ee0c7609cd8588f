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
    local model=$1/${inference_model} dir=$1/decode/$2 keys job jobs
    need "${model}" train
    need "data/$2/wav.scp" data
    log "output ${dir}/text, log ${dir}/log/inference.*.log"
    jobs=${nj}
    if ! "${dry_run}"; then
        jobs=$(wc -l < "data/$2/wav.scp")
        if ((jobs > nj)); then jobs=${nj}; fi
    fi
    if ! "${dry_run}" && [ ! -e "${dir}/.done" ]; then
        rm -rf "${dir}/log" "${dir}/text" # an earlier run may have had more jobs
        mkdir -p "${dir}/log"
        keys=()
        for ((job = 1; job <= jobs; job++)); do keys+=("${dir}/log/keys.${job}.scp"); done
        utils/split_scp.pl "data/$2/wav.scp" "${keys[@]}"
    fi
    # shellcheck disable=SC2086  # decode_cmd is words
    once "${dir}/.done" ${decode_cmd} JOB=1:"${jobs}" "${dir}/log/inference.JOB.log" \
        python -m pruneasr.run -m "espnet2.bin.${task}_inference" \
        --config "${inference_config}" --batch_size 1 --ngpu 0 \
        --data_path_and_name_and_type "data/$2/wav.scp,speech,sound" \
        --key_file "${dir}/log/keys.JOB.scp" \
        "--${task}_train_config" "$1/config.yaml" "--${task}_model_file" "${model}" \
        --output_dir "${dir}/log/output.JOB"
    if ! "${dry_run}" && [ ! -e "${dir}/text" ]; then
        sort -u "${dir}"/log/output.*/1best_recog/text > "${dir}/text.tmp"
        mv "${dir}/text.tmp" "${dir}/text"
    fi
}
