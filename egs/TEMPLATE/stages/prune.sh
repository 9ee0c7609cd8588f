# shellcheck shell=bash
# exp/distill -> exp/pruned: what the gates closed is removed; report.md and figures.

stage_prune() {
    need "${expdir}/distill/.done" distill
    log "output ${expdir}/pruned, log ${expdir}/pruned/prune.log"
    # shellcheck disable=SC2086  # train_cmd is words
    once "${expdir}/pruned/.done" ${train_cmd} "${expdir}/pruned/prune.log" \
        python -m pruneasr.bin.prune --experiment "${expdir}/distill" \
        --output "${expdir}/pruned" ${multiple_of:+--multiple-of "${multiple_of}"}
}
