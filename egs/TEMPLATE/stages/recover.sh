# shellcheck shell=bash
# exp/pruned -> exp/recover/encoder: a second distillation of what is left. And, where
# they are among --systems, the encoders it is compared with:
#   scratch       the shape of the pruned encoder, random weights
#   distilhubert  the teacher's first blocks, made as large as the pruned encoder, distilled
#                 by prediction heads (Chang et al. 2022)

stage_recover() {
    need "${expdir}/pruned/config.json" prune
    local from
    from=$(encoder_of teacher)
    encoder_training recover "${expdir}/recover" \
        python -m pruneasr.bin.recover_train --config "${recover_config}" \
        --teacher "${from}" --student "${expdir}/pruned"
    local system
    for system in ${systems}; do
        case ${system} in
            scratch)
                once "${expdir}/scratch/.done" python -m pruneasr.bin.init_encoder \
                    --shape-of "${expdir}/pruned" --seed "${seed}" \
                    --output "${expdir}/scratch"
                ;;
            distilhubert) distilhubert "${from}" ;;
        esac
    done
}

distilhubert() { # TEACHER
    local student=${expdir}/distilhubert_init
    once "${student}/.done" python -m pruneasr.bin.init_encoder \
        --first-blocks "${distilhubert_blocks}" --of "$1" \
        --parameters-of "${expdir}/pruned" --seed "${seed}" --output "${student}"
    encoder_training distilhubert "${expdir}/distilhubert" \
        python -m pruneasr.bin.recover_train --config "${distilhubert_config}" \
        --teacher "$1" --student "${student}"
}
