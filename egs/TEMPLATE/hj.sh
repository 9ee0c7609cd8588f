#!/usr/bin/env bash
# HJ-Pruning [P23] over methods, budgets and seeds. A recipe's run_hj.sh calls this with
# its values. Needs what stages 1 to 8 make of the system `teacher`.
set -euo pipefail

template=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: ./run_hj.sh [options]
For every method, budget and seed: the fine-tuned teacher is trained on with gates, what
they closed is removed, what is left is fine-tuned, decoded and scored. Makes
<expdir>/hj/<method>_<percent>_seed<seed>, RESULTS_HJ.md and figures/hj.png.
  --methods LIST     size mac sep_mac, transformer: no gates on the convolutions, and
                     latency: milliseconds by --latency-table
  --budgets LIST     percent of the cost to remove (10 20 30 40 50 70); refused at once
                     where a method cannot reach one on this encoder
  --seeds LIST       seeds of all trainings (1 2 3)
  --latency-table FILE  made on the encoder of the teacher by
                     python -m pruneasr.bin.latency
  --init-seed N      seed of the fine-tuned teacher that all start from (1)
  --multiplier-lr N  learning rate of the multipliers at a budget of 50 %, for others as
                     removed / left: a ninth of it at 10 % (0.15)
  --task-args OPTIONS  more ESPnet options of all trainings
  --gate-args, --tune-args OPTIONS
                     of the training with gates, of the one after
  --dense-args OPTIONS  of the one training of \`dense\`, as long as both together
  --tune true|false  false: stop after the removal
  --report-only true the results of what is there
  --dry-run true     print the commands only
  --nj N             points at a time (1)
  --cmd-backend B --ngpu N --expdir DIR --results-dir DIR --teacher DIR
                     as in run.sh
The row \`dense\` is the teacher, fine-tuned on without pruning."

methods="size mac sep_mac transformer"
budgets="10 20 30 40 50 70"
seeds="1 2 3"
latency_table=
init_seed=1
units="conv head ffn"     # those of [P23]
# The multipliers rise by this a step. One rate for all budgets closes 40 % where 30 are
# asked before the multipliers have turned, or not half where 50 are.
multiplier_lr=0.15
prune_config=conf/prune_asr.yaml
task_args=
gate_args=
tune_args="--max_epoch 3"
dense_args="--max_epoch 6"
tune=true
report_only=false
dry_run=false
recipe_title="HJ-Pruning"
recipe_command=./run_hj.sh
cmd_backend=local
ngpu=0
nj=1
expdir=exp
results_dir=.
teacher=
train_set=train
valid_set=dev
test_sets=test
task=asr
token_type=char
nbpe=100                  # of run.sh, where the tokens are bpe
tune_config=              # those of run.sh: conf/train_<task>.yaml if empty
inference_config=         # conf/decode_<task>.yaml if empty
inference_model=valid.cer_ctc.ave.pth
. utils/parse_options.sh
. "${template}/lib.sh"
. utils/lock.sh
if [ $# -ne 0 ]; then die "unexpected argument $1; options begin with --"; fi
. ./cmd.sh
if ! "${dry_run}"; then . ./path.sh; fi
stage_name=hj
tune_config=${tune_config:-conf/train_${task}.yaml}
inference_config=${inference_config:-conf/decode_${task}.yaml}
tune_args+=${task_args:+ ${task_args}}
dense_args+=${task_args:+ ${task_args}}
# shellcheck disable=SC2034  # task_options uses them
{
    tokens=data/tokens_$(tokens_name)
    task_config=${prune_config}
    task_args+=" ${gate_args}"
}
stats_dir=${expdir}/${task}_stats_$(tokens_name)
init=$(experiment_dir teacher "${init_seed}")/${inference_model}
from=$(encoder_of teacher)

# constraint METHOD PERCENT: what is gated, and to what it is constrained
constraint() {
    local share gated=${units} conf
    [[ $2 =~ ^[1-9][0-9]?$ ]] || die "expected --budgets of 1 to 99 percent; found $2"
    share=$(printf '0.%02d' "$2")
    case $1 in
        size) conf=(kind=size denominator=whole "target=${share}") ;;
        mac) conf=(kind=mac "target=${share}") ;;
        sep_mac)
            conf=(kind=sep_mac "target.mac_cnn=${share}" "target.mac_transformer=${share}")
            ;;
        transformer) conf=(kind=mac "target=${share}") gated=${units//conv/} ;;
        latency)
            [ -n "${latency_table}" ] \
                || die "method latency needs --latency-table FILE; make it by" \
                    "python -m pruneasr.bin.latency --output FILE ${from}"
            conf=(kind=latency "latency_table=${latency_table}" "target=${share}")
            ;;
        *) die "unknown method $1; known: size mac sep_mac transformer latency" ;;
    esac
    conf+=("multiplier_lr=$(awk -v rate="${multiplier_lr}" -v share="${share}" \
        'BEGIN { printf "%.4f", rate * share / (1 - share) }')")
    echo "--units ${gated}"
    printf -- '--constraint_conf %s\n' "${conf[@]}"
}

# point METHOD BUDGET SEED: one encoder, from the training with gates to its scores
point() {
    local dir=${expdir}/hj/$1_$2_seed$3 encoder=${from} rest=${init} args=${dense_args}
    if [ "$1" != dense ]; then
        encoder=${dir}/pruned args=${tune_args}
        rest=${dir}/train/latest.pth:model::model.frontend.upstream
        # shellcheck disable=SC2046  # lists of words
        task_training "${dir}/train" \
            python -m pruneasr.bin.task_prune_train --task "${task}" \
            $(task_options "${ngpu}") \
            --frontend_conf ckpt="${from}" --init_param "${init}::model" \
            $(constraint "$1" "$2") --output_dir "${dir}/train" --resume true \
            --seed "$3" --multiprocessing_distributed true
        # shellcheck disable=SC2086  # train_cmd is words
        once "${dir}/pruned/.done" ${train_cmd} "${dir}/pruned/prune.log" \
            python -m pruneasr.bin.prune --experiment "${dir}/train" --output "${encoder}"
    fi
    "${tune}" || return 0
    tune_encoder "${dir}" "${encoder}" "$3" "--init_param ${rest} ${args}"
}

# points: whole curves of the first seed come first, so that they can be looked at
points() {
    local method budget this_seed
    for this_seed in ${seeds}; do
        echo "dense 0 ${this_seed}"
        for budget in ${budgets}; do
            for method in ${methods}; do echo "${method} ${budget} ${this_seed}"; done
        done
    done
}

# asked: of every method and budget a name and the options of its training with gates. A
# budget out of reach must not be found out by the last of them, days later.
asked() {
    local method budget options
    for method in ${methods}; do
        for budget in ${budgets}; do
            options=$(constraint "${method}" "${budget}")
            tr '\n' ' ' <<< "${method}_${budget} ${options} ${task_args}"
            echo
        done
    done
}

check_seeds
asked > /dev/null
if ! "${report_only}"; then
    need "${from}/config.json" teacher
    need "${stats_dir}/train/text_shape.tokens" stats
    need "${init}" train
    if ! "${dry_run}"; then
        python -m pruneasr.bin.check_budgets --task "${task}" \
            --config "${prune_config}" --encoder "${from}" < <(asked)
    fi
    occupy "${expdir}/hj"
    note_call "${recipe_command}" "${expdir}/hj"
    side_by_side point <<< "$(points)"
fi
if "${dry_run}" || ! "${tune}"; then exit; fi
# shellcheck disable=SC2086  # test_sets is a list
python -m pruneasr.bin.hj_results --title "${recipe_title}" --task "${task}" \
    --points "${expdir}/hj" --test-sets ${test_sets} \
    --audio "data/${test_sets%% *}/wav.scp" --output "${results_dir}"
