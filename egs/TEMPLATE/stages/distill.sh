# shellcheck shell=bash
# Teacher -> exp/distill: its copy with learned gates ([W23]).

stage_distill() {
    local from
    from=$(encoder_of teacher)
    need "${from}/config.json" teacher
    encoder_training distill "${expdir}/distill" \
        python -m pruneasr.bin.distill_train --config "${distill_config}" \
        --teacher "${from}"
}
