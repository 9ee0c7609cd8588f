# shellcheck shell=bash
# data/train/text -> data/tokens_<type>/tokens.txt (and bpe.model); before, where labels
# have no order, their slots are put in the order of speech

stage_tokens() {
    need "data/${train_set}/text" data
    if "${spoken_order}"; then
        order_slots
    elif [ -e data/spoken_order/.done ]; then
        die "data/*/text is in the order of speech (data/spoken_order) and --spoken-order" \
            "false wants the labels' own; remove data/.done and begin with --stage data"
    fi
    log "output ${tokens}/tokens.txt"
    once "${tokens}/.done" python -m pruneasr.bin.tokens \
        --token-type "${token_type}" --nbpe "${nbpe}" --text "data/${train_set}/text" \
        --output "${tokens}"
    once "data/${train_set}/.checked_${token_name}" python -m pruneasr.bin.check_data \
        "data/${train_set}" --tokens "${tokens}"
    # a word never heard in training is an error of recognition, not of the data
    if [ "${token_type}" = word ]; then return; fi
    local set
    for set in "${valid_set}" ${test_sets}; do
        once "data/${set}/.checked_${token_name}_unknown" \
            python -m pruneasr.bin.check_data "data/${set}" --tokens "${tokens}" \
            --allow-unknown
    done
}

# Which encoder has heard the order is no matter: the order is the recordings'.
order_slots() {
    local dir=data/spoken_order encoder
    encoder=$(encoder_of teacher)
    if [ ! -e "${encoder}/config.json" ]; then encoder=${pruned_encoder:-${encoder}}; fi
    if [ -e "${dir}/.done" ]; then
        log "done before: ${dir}/.done"
        return
    fi
    need "${encoder}/config.json" teacher
    if [ -e "${stats_dir}/collected" ]; then
        die "${stats_dir} was made of the labels in another order; remove it and the" \
            "fine-tunings that used it, or choose another --expdir"
    fi
    log "log ${dir}/order.log"
    # shellcheck disable=SC2086  # train_cmd is words
    once "${dir}/.done" ${train_cmd} "${dir}/order.log" \
        python -m pruneasr.bin.order_slots --encoder "${encoder}" \
        --train "data/${train_set}" "data/${train_set}" "data/${valid_set}"
}
