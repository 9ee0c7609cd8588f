#!/usr/bin/env bash
# SUPERB: the ten probes on a frozen encoder.
#   ./run.sh --encoder DIR --name NAME --tasks "ks er"
#SBATCH --cpus-per-task=2 --requeue --open-mode=append --signal=B:USR1@120
set -euo pipefail
script=$0
if [[ ${script} == */slurm_script ]]; then # sbatch runs a copy of this file
    script=$(squeue --noheader --jobs "${SLURM_JOB_ID}" --format %o)
    script=${script%% *} # the rest are options
fi
cd "$(dirname "${script}")"

# shellcheck disable=SC2034  # parse_options.sh prints it
help_message="Usage: ./run.sh --encoder DIR [options]
Makes data/, exp/<name> and RESULTS.md of all encoders in exp. What is done is not done
again, and a training that was stopped goes on where it was.
Stages, by number or name: 1 data  2 features  3 train  4 decode  5 score  6 collect
  --stage S --stop-stage S  first and last stage (data, collect)
  --encoder DIR             encoder directory; it stays frozen
  --name NAME               what it is called (the folder's name)
  --tasks LIST              of pr asr ks qbe sid sv sd ic sf er (all)
  --seeds LIST              seeds of the trainings (1)
  --config-dir DIR          <task>.yaml of each probe, one DIR for each --expdir
                            (conf/excerpt; conf/official has the sizes of SUPERB and its
                            number of updates, and says that the sets are the official ones)
  --dry-run true            print the commands only
  --cmd-backend B           local, stdout, sge, slurm or pbs (local)
  --ngpu N                  1: encoder and probes on a GPU (0); on this machine one after the other
  --nj N                    jobs side by side (all cores; 32 on a batch system)
  --expdir DIR              where experiments go (exp)
  --results-dir DIR         where RESULTS.md goes (.)
Corpora: db.sh. For others, make data/<task>/about and
data/<task>/split1/{train,dev,test} as README.md says and begin with --stage features."

# shellcheck disable=SC2034  # ../TEMPLATE/lib/stages.sh uses them, and stages
{
    stage=data
    stop_stage=collect
}
encoder=
name=
tasks="pr asr ks qbe sid sv sd ic sf er"
seeds=1
config_dir=conf/excerpt
dry_run=false
cmd_backend=local
ngpu=0
nj=
expdir=exp
results_dir=.
title="SUPERB probes"
command="egs/superb/run.sh ${*@Q}"
. utils/parse_options.sh
. ../TEMPLATE/lib.sh
. utils/lock.sh
if [ $# -ne 0 ]; then die "unexpected argument $1; options begin with --"; fi
. ./cmd.sh

# shellcheck disable=SC2034
stages=(data features train decode score collect)

check_options() {
    local task known=" pr asr ks qbe sid sv sd ic sf er "
    check_seeds
    [ "${tasks}" ] || die "expected names in --tasks; found none"
    for task in ${tasks}; do
        [[ ${known} == *" ${task} "* ]] || die "unknown task ${task}; known:${known}"
        [ "${task}" = qbe ] || [ -e "${config_dir}/${task}.yaml" ] \
            || die "expected ${config_dir}/${task}.yaml (--config-dir)"
    done
    [ -e "${encoder}/config.json" ] \
        || die "expected an encoder (config.json, model.safetensors) in --encoder," \
            "found '${encoder}'"
}

# runs: what is trained, one "TASK SPLIT SEED" per line. Emotions have five splits; QbE,
# which trains nothing, has one seed.
runs() {
    local task split this_seed splits these_seeds
    for task in ${tasks}; do
        splits=1 these_seeds=${seeds}
        if [ "${task}" = er ]; then splits="1 2 3 4 5"; fi
        if [ "${task}" = qbe ]; then these_seeds=1; fi
        for split in ${splits}; do
            for this_seed in ${these_seeds}; do echo "${task} ${split} ${this_seed}"; done
        done
    done
}

# Corpora -> data/<task>/split<k>/{train,dev,test}
stage_data() {
    local task name these
    . ./db.sh
    for task in ${tasks}; do
        log "output data/${task}"
        these=() # of other corpora the data would be others
        for name in $(corpora "${task}"); do these+=("${name}=${!name}"); done
        once "data/${task}/.done" env "${these[@]}" local/data.sh "${task}"
    done
}

# Audio -> exp/<name>/features/<task>: hidden states of the frozen encoder
stage_features() {
    local task
    for task in ${tasks}; do extract "${task}"; done
}

extract() { # TASK
    local dir=${exp}/features/$1 jobs
    need "data/$1/about" data
    log "output ${dir}, logs ${dir}/log"
    if ! "${dry_run}" && [ ! -e "${dir}/.done" ]; then
        mkdir -p "${dir}/log"
        sort -u "data/$1"/split*/*/wav.scp > "${dir}/log/wav.scp"
        split_list "${dir}/log/wav.scp" "${dir}/log/wav"
    fi
    check_audio "$1"
    jobs=$(num_parts "${dir}/log/wav.scp")
    # shellcheck disable=SC2086  # decode_cmd is words
    once "${dir}/.done" ${decode_cmd} --gpu "${ngpu}" JOB=1:"${jobs}" \
        "${dir}/log/features.JOB.log" python -m pruneasr.bin.superb features \
        --encoder "${encoder}" --wav-scp "${dir}/log/wav.JOB.scp" --output "${dir}" \
        --device "${device}"
}

# check_audio TASK: features must be those of the audio that data/<task> names now. The
# first call notes what it is.
check_audio() {
    local made_of=${exp}/features/$1/log/audio now
    if "${dry_run}" || [ ! -d "${made_of%/*}" ]; then return; fi
    now=$(audio_of "$1")
    [ -e "${made_of}" ] || echo "${now}" > "${made_of}"
    [ "${now}" = "$(< "${made_of}")" ] \
        || die "data/$1 names other utterances or changed files than ${exp}/features/$1" \
            "was made of; remove that folder, and ${exp}/$1, which was made of it, and" \
            "begin with --stage features"
}

# audio_of TASK: a digest of its utterances, and the size and time of every file
audio_of() {
    {
        sort -u "data/$1"/split*/*/wav.scp
        cut -d' ' -f2- "data/$1"/split*/*/wav.scp | sort -u \
            | xargs -d '\n' stat --dereference --format '%n %s %Y'
    } | sha256sum
}

# Features -> exp/<name>/<task>/split<k>_seed<s>: the search on the development set
stage_train() { side_by_side train_probe <<< "$(runs)"; }

train_probe() { # TASK SPLIT SEED
    local dir=${exp}/$1/split$2_seed$3 data=data/$1/split$2 options=()
    need "${exp}/features/$1/.done" features
    check_audio "$1"
    if [ "$1" != qbe ]; then
        options=(--config "${config_dir}/$1.yaml" --train "${data}/train" --seed "$3")
    fi
    log "output ${dir}, log ${dir}/train.log"
    # shellcheck disable=SC2086  # cuda_cmd is words
    once "${dir}/.trained" ${cuda_cmd} --gpu "${ngpu}" "${dir}/train.log" \
        python -m pruneasr.bin.superb train --task "$1" --features "${exp}/features/$1" \
        --dev "${data}/dev" --output "${dir}" --device "${device}" "${options[@]}"
}

# What was chosen -> exp/<name>/<task>/split<k>_seed<s>/test/predictions
stage_decode() { side_by_side decode <<< "$(runs)"; }

decode() { # TASK SPLIT SEED
    local dir=${exp}/$1/split$2_seed$3
    need "${dir}/.trained" train
    check_audio "$1"
    # shellcheck disable=SC2086  # decode_cmd is words
    once "${dir}/test/.decoded" ${decode_cmd} --gpu "${ngpu}" "${dir}/test/decode.log" \
        python -m pruneasr.bin.superb decode --task "$1" --experiment "${dir}" \
        --features "${exp}/features/$1" --data "data/$1/split$2/test" \
        --output "${dir}/test/predictions" --device "${device}"
}

# Predictions -> exp/<name>/<task>/split<k>_seed<s>/test/score.json
stage_score() { side_by_side score <<< "$(runs)"; }

score() { # TASK SPLIT SEED
    local dir=${exp}/$1/split$2_seed$3/test
    need "${dir}/.decoded" decode
    # shellcheck disable=SC2086  # train_cmd is words
    once "${dir}/.scored" ${train_cmd} "${dir}/score.log" \
        python -m pruneasr.bin.superb evaluate --task "$1" \
        --data "data/$1/split$2/test" --predictions "${dir}/predictions" \
        --output "${dir}/score.json"
}

# All encoders in exp -> RESULTS.md
stage_collect() {
    log "output ${results_dir}/RESULTS.md"
    "${dry_run}" && return
    mkdir -p "${results_dir}"
    python -m pruneasr.bin.superb collect --exp "${expdir}" --data data \
        --title "${title}" --commands "${expdir}/commands" \
        --output "${results_dir}/RESULTS.md"
}

stage_range
check_options
exp=${expdir}/${name:=$(basename "${encoder}")}
device=cpu
if ((ngpu > 0)); then device=cuda; fi
nj=${nj:-$(default_jobs)}
nj=$(num_trainings) # features take the GPU too
if ! "${dry_run}"; then
    ../../tools/setup_env.sh
    . ./path.sh
fi
occupy "${expdir}"
note_call "${command}" "${expdir}"

# not only where features are made: all that is done before is of these weights
if ! "${dry_run}"; then
    python -m pruneasr.bin.superb claim --encoder "${encoder}" --output "${exp}" \
        --config-dir "${config_dir}"
fi

run_stages
