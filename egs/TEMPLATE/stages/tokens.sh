# shellcheck shell=bash
# data/train/text -> data/tokens_<type>/tokens.txt (and bpe.model)

stage_tokens() {
    need "data/${train_set}/text" data
    log "output ${tokens}/tokens.txt"
    once "${tokens}/.done" python -m pruneasr.bin.tokens \
        --token-type "${token_type}" --nbpe "${nbpe}" --text "data/${train_set}/text" \
        --output "${tokens}"
    local set sets="${valid_set} ${test_sets}"
    # a word never heard in training is an error of recognition, not of the data
    if [ "${token_type}" = word ]; then sets=${train_set}; fi
    for set in ${sets}; do
        once "data/${set}/.checked_${token_name}" python -m pruneasr.bin.check_data \
            "data/${set}" --tokens "${tokens}"
    done
}
