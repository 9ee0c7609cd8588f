# shellcheck shell=bash
# Corpus -> data/<set>/{wav.scp,text,utt2spk,spk2utt,utt2num_samples}

stage_data() {
    log "output data/{${pretrain_set},${train_set},${valid_set},${test_sets// /,}}"
    # what was checked and put in order is written anew
    if ! "${dry_run}" && [ ! -e data/.done ]; then
        rm -rf data/*/.checked* data/spoken_order
    fi
    local set corpora=()
    mapfile -t corpora < <(corpora)
    # shellcheck disable=SC2086  # the options are words
    once data/.done ${corpora[0]:+env "${corpora[@]}"} local/data.sh ${data_opts}
    for set in "${pretrain_set}" "${train_set}" "${valid_set}" ${test_sets}; do
        once "data/${set}/.checked" python -m pruneasr.bin.check_data "data/${set}"
    done
    if [ "${task}" != slu ]; then return; fi
    for set in "${train_set}" "${valid_set}" ${test_sets}; do
        # shellcheck disable=SC2086  # slots is a list
        once "data/${set}/.checked_labels" \
            python -m pruneasr.bin.check_labels "data/${set}" ${slots:+--slots ${slots}}
    done
}

# corpora: what the environment or db.sh says, a VARIABLE=FOLDER each: of other corpora, or
# with one more, data/ would be another.
corpora() {
    local name
    [ -e db.sh ] || return 0
    # shellcheck source=/dev/null
    . ./db.sh
    while read -r name; do echo "${name}=${!name}"; done \
        < <(sed -nE 's/^([A-Z][A-Z0-9_]*)=.*/\1/p' db.sh)
}
