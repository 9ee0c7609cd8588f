# shellcheck shell=bash
# exp/pruned -> the encoders that are fine-tuned, for each of --systems:
#   pruned        exp/recover: a second distillation of what is left
#   scratch       exp/scratch: the shape of the pruned encoder, random weights
#   distilhubert  exp/distilhubert: the teacher's first blocks, made as large as the pruned
#                 encoder, distilled by prediction heads (Chang et al. 2022)

stage_recover() {
    need "${expdir}/pruned/.done" prune
    local system from
    from=$(encoder_of teacher)
    for system in ${systems}; do
        case ${system} in
            pruned) distillation recover "${recover_config}" "${from}" "${expdir}/pruned" ;;
            scratch) init_encoder scratch --shape-of "${expdir}/pruned" ;;
            distilhubert) distilhubert_student "${from}" "${expdir}/pruned" ;;
        esac
    done
}

distilhubert_student() { # TEACHER AS_LARGE_AS
    init_encoder distilhubert_init --of "$1" --first-blocks "${distilhubert_blocks}" \
        --parameters-of "$2"
    distillation distilhubert "${distilhubert_config}" "$1" "${expdir}/distilhubert_init"
}

init_encoder() { # NAME OPTIONS...
    local output=${expdir}/$1
    shift
    once "${output}/.done" python -m pruneasr.bin.init_encoder "$@" --seed "${seed}" \
        --output "${output}"
}

distillation() { # NAME CONFIG TEACHER STUDENT
    encoder_training "$1" "${expdir}/$1" python -m pruneasr.bin.recover_train \
        --config "$2" --teacher "$3" --student "$4"
}
