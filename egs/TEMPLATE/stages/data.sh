# shellcheck shell=bash
# Corpus -> data/<set>/{wav.scp,text,utt2spk,spk2utt,utt2num_samples}

stage_data() {
    log "output data/{${pretrain_set},${train_set},${valid_set},${test_sets// /,}}"
    # what was checked and put in order is written anew
    if ! "${dry_run}" && [ ! -e data/.done ]; then
        rm -rf data/*/.checked* data/spoken_order
    fi
    # shellcheck disable=SC2086  # the options are words
    once data/.done local/data.sh ${data_opts}
    local set
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
