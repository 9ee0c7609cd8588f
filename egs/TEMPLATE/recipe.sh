#!/usr/bin/env bash
# Runs the stages of a recipe. A recipe's run.sh calls this with its values and passes
# its own arguments on; each stage is a file of its own in stages/.
set -euo pipefail

template=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: ./run.sh [options]
Makes data/, exp/ and RESULTS.md in the recipe's folder. What is done is not done again,
and a training that was stopped goes on where it was.
Stages, by number or name:
   1 data      2 teacher   3 distill   4 prune    5 recover   6 tokens
   7 stats     8 train     9 decode   10 score   11 pack     12 report
  --stage S --stop-stage S  first and last stage (data, report)
  --pruned-encoder DIR      use this encoder: skips stages 2 to 5; nothing else is then
                            fine-tuned, unless --systems says so
  --dry-run                 print the commands only
  --cmd-backend B           local, stdout, sge, slurm or pbs (local)
  --ngpu N --num-nodes N    GPUs per training and machines (0, 1)
  --gpu-inference true      decode on GPUs too: of a batch system one for each job, of this
                            machine one (false)
  --num-threads N           threads of a training that runs alone (all cores
                            of this machine; 1 where a batch system runs it)
  --nj N                    jobs side by side (all cores of this machine; 32 where a
                            batch system runs them)
  --systems LIST            what is fine-tuned: pruned teacher scratch distilhubert
                            (those of run.sh; with --pruned-encoder pruned); teacher
                            alone skips stages 3 to 5
  --seeds LIST              seeds of the fine-tunings
  --expdir DIR              where experiments go (exp)
  --results-dir DIR         where RESULTS.md goes (the recipe's folder)
  --data-opts OPTS          options of local/data.sh
  --teacher DIR             encoder directory of a published teacher: no pre-training
  --multiple-of N           widths that pruning leaves are multiples of it; 8 runs well
  --stats-dir DIR           lengths that another --expdir has collected
  --task-args, --encoder-args OPTIONS
                            more ESPnet options of fine-tunings, of encoders' trainings
Files named by options are looked for in the recipe's folder. All options and their
values stand at the head of egs/TEMPLATE/recipe.sh; run.sh and conf/ set some of them."

stage=data
stop_stage=report
dry_run=false
recipe_title="Results"
recipe_command=./run.sh
cmd_backend=local
ngpu=0
num_nodes=1
num_threads=
nj=
expdir=exp
results_dir=.             # receives RESULTS.md and figures/
readme=                   # also put the table between the marks of this file
seed=1

# data
data_opts=
train_set=train
valid_set=dev
test_sets=test
pretrain_set=train

# encoder
teacher=
teacher_config=conf/teacher.yaml
pretrain_configs="conf/pretrain1.yaml conf/pretrain2.yaml"
cluster_layer=4           # hidden state whose clusters the second round predicts
distill_config=conf/distill.yaml
recover_config=conf/recover.yaml
distilhubert_config=conf/distilhubert.yaml
distilhubert_blocks=2
pruned_encoder=
recipe_encoder=           # what a recipe has in place of --pruned-encoder
multiple_of=               # of the widths that pruning leaves; any if empty
encoder_args=              # further options of all trainings of encoders
systems=default
recipe_systems=pruned     # the default, where --pruned-encoder is not given
seeds=1

# task
task=asr
token_type=char
nbpe=100
slots=                     # names that slots of SLU may have, a list; any if empty
spoken_order=false         # true: labels are sets of slots; put them in the order of speech
word_detectors=false       # true: CTC begins as detectors of words; for encoder: tdnn
stats_dir=                 # <expdir>/<task>_stats_<tokens> if empty
task_config=              # conf/train_<task>.yaml if empty
task_args=                 # further options of the fine-tuning
inference_config=         # conf/decode_<task>.yaml if empty
gpu_inference=false
inference_model=valid.cer_ctc.ave.pth

# Options take a value, as everywhere in Kaldi; --dry-run may also stand alone.
arguments=()
for ((i = 1; i <= $#; i++)); do
    next=$((i + 1))
    arguments+=("${!i}")
    if [[ ${!i} == --dry[-_]run && ${!next:---} == --* ]]; then arguments+=(true); fi
done
set -- "${arguments[@]}"
. utils/parse_options.sh
. "${template}/lib.sh"
. utils/lock.sh
if [ $# -ne 0 ]; then die "unexpected argument $1; options begin with --"; fi
. ./cmd.sh

nj=${nj:-$(default_jobs)}
num_threads=${num_threads:-$(default_threads)}
token_name=$(tokens_name)
task_config=${task_config:-conf/train_${task}.yaml}
inference_config=${inference_config:-conf/decode_${task}.yaml}
# shellcheck disable=SC2034  # the stages use it
tokens=data/tokens_${token_name}
stats_dir=${stats_dir:-${expdir}/${task}_stats_${token_name}}

stages=(data teacher distill prune recover tokens stats train decode score pack report)
for name in "${stages[@]}"; do
    # shellcheck source=/dev/null
    . "${template}/stages/${name}.sh"
done
if [ "${systems}" = default ]; then
    systems=${recipe_systems}
    if [ -n "${pruned_encoder}" ]; then systems=pruned; fi
fi
pruned_encoder=${pruned_encoder:-${recipe_encoder}}
if [ "${systems}" = teacher ]; then
    for name in distill prune recover; do
        skipped[${name}]="no system but the teacher is asked for"
    done
fi
if [ -n "${pruned_encoder}" ]; then
    for name in teacher distill prune recover; do
        skipped[${name}]="the encoder is ${pruned_encoder}"
    done
fi

# check_encoders: what is known before the first stage to fail later. Data, tokens and
# lengths are made without an encoder.
check_encoders() {
    local dir system
    [ "${systems}" ] || die "expected names in --systems; found none"
    for system in ${systems}; do encoder_of "${system}" > /dev/null; done
    if [ -n "${teacher}" ] && runs teacher distill recover; then
        check_encoder "${teacher}"
    fi
    runs train report || return 0
    for system in ${systems}; do
        dir=$(encoder_of "${system}")
        if [ "${dir}" = "${teacher}" ] || [ "${dir}" = "${pruned_encoder}" ]; then
            check_encoder "${dir}"
        elif [ -n "${pruned_encoder}" ] && [ ! -e "${dir}/config.json" ]; then
            die "--pruned-encoder skips the stages that make the encoder of ${system}," \
                "and ${dir} has none; leave it out of --systems"
        fi
    done
}

# check_encoder DIR: one that is given
check_encoder() {
    [ -e "$1/config.json" ] \
        || die "expected an encoder (config.json, model.safetensors) in $1;" \
            "a published one is converted by python -m pruneasr.bin.convert"
}

# check_configs: those that the stages to be run read
check_configs() {
    local config configs=()
    if runs teacher && [ -z "${teacher}" ]; then
        read -r -a configs <<< "${teacher_config} ${pretrain_configs}"
    fi
    if runs distill; then configs+=("${distill_config}"); fi
    if runs recover && [[ " ${systems} " == *" pruned "* ]]; then
        configs+=("${recover_config}")
    fi
    if runs recover && [[ " ${systems} " == *" distilhubert "* ]]; then
        configs+=("${distilhubert_config}")
    fi
    if runs stats train; then configs+=("${task_config}"); fi
    if runs decode; then configs+=("${inference_config}"); fi
    for config in "${configs[@]}"; do
        [ -e "${config}" ] || die "expected the configuration ${config}, found no such file"
    done
}

stage_range
check_seeds
check_encoders
check_configs
if ! "${dry_run}"; then
    "${template}/../../tools/setup_env.sh"
    . ./path.sh
fi
occupy "${expdir}"
note_call "${recipe_command}" "${expdir}"

run_stages
