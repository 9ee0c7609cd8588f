# shellcheck shell=bash
# Fine-tuned models -> exp/<task>_<system>_seed<seed>/packed.zip: all that decoding needs

stage_pack() {
    local system this_seed dir options=() packer=(espnet2.bin.pack "${task}")
    # ESPnet packs no SLU model
    if [ "${task}" = slu ]; then packer=(pruneasr.bin.pack_slu); fi
    if [ "${token_type}" = bpe ]; then
        options=(--option "${tokens}/bpe.model")
    fi
    while read -r system this_seed; do
        dir=$(experiment_dir "${system}" "${this_seed}")
        need "${dir}/${inference_model}" train
        log "output ${dir}/packed.zip"
        once "${dir}/.packed" python -m "${packer[@]}" \
            "--${task}_train_config" "${dir}/config.yaml" \
            "--${task}_model_file" "${dir}/${inference_model}" \
            "${options[@]}" --outpath "${dir}/packed.zip"
    done < <(experiments)
}
