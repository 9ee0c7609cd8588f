# shellcheck shell=bash
# data/train/text -> data/tokens/tokens.txt (and bpe.model)

stage_tokens() {
    need "data/${train_set}/text" data
    log "output data/tokens_${task}/tokens.txt"
    once "data/tokens_${task}/.done" python -m pruneasr.bin.tokens \
        --token-type "${token_type}" --nbpe "${nbpe}" --text "data/${train_set}/text" \
        --output "data/tokens_${task}"
    local set
    for set in "${valid_set}" ${test_sets}; do
        once "data/${set}/.checked_${task}" python -m pruneasr.bin.check_data \
            "data/${set}" --tokens "data/tokens_${task}"
    done
}
