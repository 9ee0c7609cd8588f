#!/usr/bin/env bash
# What each part of distill-pruning is worth, and the baselines, on one teacher. A recipe's
# run_ablation.sh calls this with its values. Needs what stages 1 to 8 make of the system
# `teacher`.
set -euo pipefail

template=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: ./run_ablation.sh [options]
For every variant and seed: an encoder is made of the teacher, fine-tuned, decoded and
scored; a fine-tuning takes all but the encoder from the fine-tuned teacher, so that it
need not learn to align again. Makes <expdir>/ablation/<variant>_seed<seed>,
RESULTS_ABLATION.md and figures/ablation_*.png.
  --variants LIST    teacher       as it is
                     full          distill-pruning and recovery by conf/distill.yaml
                     no_fahp       head gates in place of qk and vo
                     no_ste        without the straight-through estimator
                     no_blocks     without mha_layer and ffn_layer
                     ordered fixed the pairing of layers
                     <P>_all       pairing P (free ordered fixed), every layer of the teacher
                                   compared, --all-layers
                     conv          with gates on the convolutions; of the whole encoder
                                   --whole-target S is removed
                     no_recovery   full, not distilled again (wants full)
                     target_<P>    P percent removed, e.g. target_50
                     distilhubert  two blocks, as large as full (wants full)
                     dphubert cofi by conf/distill_<name>.yaml
                     random magnitude  untrained gates, then distillation
  --seeds LIST       seeds of all trainings (1 2 3)
  --probes LIST      probes of egs/superb on every frozen encoder, e.g. ks er (none); its
                     db.sh names the corpora
  --init-seed N      seed of that fine-tuned teacher (1)
  --encoder-args, --tune-args OPTIONS
                     more ESPnet options of the trainings of encoders, of fine-tunings
  --gate-args OPTIONS  of the trainings with gates
  --single-args OPTIONS  of the only distillation of distilhubert, random and magnitude
  --report-only true the results of what is there
  --dry-run true     print the commands only
  --nj N             points at a time (1)
  --cmd-backend B --ngpu N --num-threads N --expdir DIR --results-dir DIR
  --teacher DIR      as in run.sh"

all_variants() {
    echo "teacher full no_fahp no_ste no_blocks ordered fixed free_all" \
        "ordered_all fixed_all conv no_recovery target_50 target_60 target_70 target_90" \
        "distilhubert dphubert cofi random magnitude"
}

variants=$(all_variants)
seeds="1 2 3"
probes=
whole_target=                # of the whole encoder: as large as target of MHA and FFN
all_layers=                  # of the teacher
init_seed=1
recipe_encoder_args=         # a recipe's own; those of its user are added
recipe_gate_args=
recipe_single_args=
recipe_tune_args=
encoder_args=
gate_args=
single_args=
tune_args=
report_only=false
dry_run=false
recipe_title="Ablation"
recipe_command=./run_ablation.sh
cmd_backend=local
ngpu=0
num_nodes=1
num_threads=
nj=1
expdir=exp
results_dir=.
teacher=
pretrain_set=train
train_set=train
valid_set=dev
test_sets=test
task=asr
token_type=char
nbpe=100                  # of run.sh, where the tokens are bpe
tune_config=              # those of run.sh: conf/train_<task>.yaml if empty
inference_config=         # conf/decode_<task>.yaml if empty
inference_model=valid.cer_ctc.ave.pth
distill_config=conf/distill.yaml
recover_config=conf/recover.yaml
distilhubert_config=conf/distilhubert.yaml
distilhubert_blocks=2
. utils/parse_options.sh
. "${template}/lib.sh"
for name in distill prune recover; do
    # shellcheck source=/dev/null
    . "${template}/stages/${name}.sh"
done
. utils/lock.sh
if [ $# -ne 0 ]; then die "unexpected argument $1; options begin with --"; fi
. ./cmd.sh
if ! "${dry_run}"; then . ./path.sh; fi
stage_name=ablation
tune_config=${tune_config:-conf/train_${task}.yaml}
inference_config=${inference_config:-conf/decode_${task}.yaml}
for name in encoder gate single tune; do # what is said later counts
    recipes=recipe_${name}_args given=${name}_args
    printf -v "${given}" '%s %s' "${!recipes}" "${!given}"
done
num_threads=${num_threads:-$(default_threads "${nj}")}
# shellcheck disable=SC2034  # stages use them
{
    multiple_of='' systems=pruned pruned_encoder=''
}
teacher=$(encoder_of teacher)
folder=${expdir}/ablation
stats_dir=${expdir}/${task}_stats_$(tokens_name)
init=$(experiment_dir teacher "${init_seed}")/${inference_model}

# changes VARIANT: options of the training with gates, in which it differs from full
changes() {
    case $1 in
        no_fahp) echo "--units head ffn mha_layer ffn_layer" ;;
        no_ste) echo "--ste false" ;;
        no_blocks) echo "--units qk vo ffn" ;;
        ordered | fixed) echo "--pairing $1" ;;
        free_all | ordered_all | fixed_all)
            echo "--pairing ${1%_all} --teacher_layers ${all_layers}"
            ;;
        conv)
            echo "--units conv qk vo ffn mha_layer ffn_layer"
            echo "--constraint_conf denominator=whole"
            echo "--constraint_conf target=${whole_target}"
            ;;
        target_[1-9][0-9]) echo "--constraint_conf target=0.${1#target_}" ;;
        *) [[ " $(all_variants) " == *" $1 "* ]] \
            || die "unknown variant $1; known: $(all_variants); target_10 to target_99" ;;
    esac
}

# make_encoder VARIANT SEED: leaves it in the variable encoder. Here expdir is the folder
# of this point alone, and the stages of run.sh work in it.
make_encoder() {
    local full=${folder}/full_seed$2/pruned common=${encoder_args} again=
    case $1 in
        no_recovery | distilhubert)
            "${dry_run}" || [ -e "${full}/.done" ] \
                || die "variant $1 wants full_seed$2; add full to --variants"
            ;;&
        dphubert | cofi) distill_config=conf/distill_$1.yaml ;;
        ordered | fixed | *_all) again=$(changes "$1") ;;
        distilhubert | random | magnitude) again=${single_args} ;;
    esac
    encoder_args="${common} ${again}"
    if [ "$1" = dphubert ]; then recover_config=conf/recover_dphubert.yaml; fi
    encoder=${expdir}/recover/encoder
    case $1 in
        teacher) encoder=${teacher} ;;
        no_recovery) encoder=${full} ;;
        distilhubert)
            encoder=${expdir}/distilhubert/encoder
            distilhubert_student "${teacher}" "${full}"
            ;;
        random | magnitude)
            # shellcheck disable=SC2086  # train_cmd is words
            once "${expdir}/pruned/.done" ${train_cmd} "${expdir}/pruned/prune.log" \
                python -m pruneasr.bin.prune --scores "$1" --teacher "${teacher}" \
                --units qk vo ffn --target "$(target_of_full)" --seed "$2" \
                --output "${expdir}/pruned"
            stage_recover
            ;;
        *)
            encoder_args="${common} ${gate_args} $(changes "$1" | tr '\n' ' ')" \
                stage_distill
            stage_prune
            stage_recover
            ;;
    esac
}

# target_of_full: the share that the gates of full close
target_of_full() { sed -nE 's/^ +target: *([0-9.]+).*/\1/p' "${distill_config}"; }

# point VARIANT SEED: one encoder and its scores; runs in a process of its own
point() {
    local encoder this_task
    expdir=${folder}/$1_seed$2 seed=$2
    make_encoder "$1" "$2"
    tune_encoder "${expdir}" "${encoder}" "$2" \
        "--init_param ${init}:::frontend ${tune_args}"
    for this_task in ${probes}; do
        probe "${this_task}" "${encoder}" "$1_seed$2" "$2"
    done
}

# probe TASK ENCODER NAME SEED: a probe on the frozen encoder, to its score. The features
# are many times as large as all the rest of a point, and quickly made again.
probe() {
    superb ".probed_$1" "$2" --stage features --name "$3" --seeds "$4" --tasks "$1"
    "${dry_run}" || rm -rf "${expdir}/probes/$3/features"
}

# superb MARKER ENCODER OPTIONS...: egs/superb, once, with its experiments in
# ${expdir}/probes; it works in its own folder.
superb() {
    local marker=${expdir}/$1 paths
    mapfile -t paths < <(realpath -ms --relative-to=../../superb "$2" "${expdir}/probes")
    shift 2
    once "${marker}" ../../superb/run.sh --encoder "${paths[0]}" --expdir "${paths[1]}" \
        --results-dir "${paths[1]}" --cmd-backend "${cmd_backend}" \
        --ngpu $((ngpu > 0)) --nj 1 "$@"
}

# points: every variant with every seed
points() {
    local variant this_seed
    for variant in ${variants}; do
        for this_seed in ${seeds}; do echo "${variant} ${this_seed}"; done
    done
}

for variant in ${variants}; do
    changes "${variant}" > /dev/null
    case ${variant} in
        conv) [ "${whole_target}" ] || die "variant conv needs --whole-target" ;;
        *_all) [ "${all_layers}" ] || die "variant ${variant} needs --all-layers" ;;
    esac
done
check_seeds
if ! "${report_only}"; then
    need "${teacher}/config.json" teacher
    need "data/${pretrain_set}/utt2num_samples" data
    need "${stats_dir}/train/text_shape.tokens" stats
    need "${init}" train
    occupy "${folder}"
    note_call "${recipe_command}" "${folder}"
    # before the points, which run side by side and share the data
    for this_task in ${probes}; do
        expdir=${folder} superb ".probe_data_${this_task}" "${teacher}" \
            --stop-stage data --tasks "${this_task}"
    done
    side_by_side point <<< "$(points | grep "^full ")" # others want it
    side_by_side point <<< "$(points | grep -v "^full ")"
fi
if "${dry_run}"; then exit; fi
# shellcheck disable=SC2086  # test_sets is a list
OMP_NUM_THREADS=${num_threads} python -m pruneasr.bin.ablation_results \
    --title "${recipe_title}" --task "${task}" --points "${folder}" \
    --test-sets ${test_sets} --audio "data/${test_sets%% *}/wav.scp" \
    --output "${results_dir}"
