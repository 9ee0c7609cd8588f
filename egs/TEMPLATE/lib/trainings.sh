# shellcheck shell=bash
# Trainings of encoders and fine-tunings: their options, and where what they make lies.

# encoder_training NAME DIR COMMAND...: one training of an encoder, under ESPnet's
# launcher, which also starts several GPUs and nodes. It resumes by itself. Processes
# meet in a file; a job that Slurm starts again must not find addresses of the last time.
encoder_training() {
    local name=$1 dir=$2
    shift 2
    if ((num_nodes > 1 && num_threads > 1)); then
        die "--num-threads goes with one node; on several, ESPnet's launcher asks for as" \
            "many processors as GPUs"
    fi
    log "output ${dir}, log ${dir}/train.log"
    # shellcheck disable=SC2016,SC2086  # the job's shell expands; encoder_args is words
    once "${dir}/.done" python -m espnet2.bin.launch \
        --cmd "${cuda_cmd} --name ${name} $(threads)" --log "${dir}/train.log" \
        --ngpu "${ngpu}" --num_nodes "${num_nodes}" \
        --init_file_prefix "${dir}/.dist_init_"'${SLURM_RESTART_COUNT:-0}_' \
        --multiprocessing_distributed true -- \
        env OMP_NUM_THREADS="$(threads_each)" "$@" \
        --output_dir "${dir}" --resume true --seed "${seed}" \
        --train_shape_file "data/${pretrain_set}/utt2num_samples" \
        --valid_shape_file "data/${valid_set}/utt2num_samples" \
        --train_data_path_and_name_and_type \
        "data/${pretrain_set}/wav.scp,speech,sound" \
        --valid_data_path_and_name_and_type "data/${valid_set}/wav.scp,speech,sound" \
        ${encoder_args}
}

# task_training DIR COMMAND...: one training of ESPnet's own model, with or without gates.
task_training() {
    local dir=$1
    shift
    log "output ${dir}, log ${dir}/train.log"
    # shellcheck disable=SC2086  # cuda_cmd is words
    once "${dir}/.done" ${cuda_cmd} --gpu "${ngpu}" "${dir}/train.log" "$@" \
        --train_shape_file "${stats_dir}/train/speech_shape" \
        --train_shape_file "${stats_dir}/train/text_shape.tokens" \
        --valid_shape_file "${stats_dir}/valid/speech_shape" \
        --valid_shape_file "${stats_dir}/valid/text_shape.tokens"
}

# task_options NGPU: what it has in common with collecting statistics.
task_options() {
    local set name
    echo "--config ${task_config} --use_preprocessor true --token_type ${token_type}"
    echo "--token_list ${tokens}/tokens.txt"
    if [ "${token_type}" = bpe ]; then
        echo "--bpemodel ${tokens}/bpe.model"
    fi
    echo "--frontend_conf fs=16k --ngpu $1"
    for set in train valid; do
        name=${set}_set
        echo "--${set}_data_path_and_name_and_type data/${!name}/wav.scp,speech,sound"
        echo "--${set}_data_path_and_name_and_type data/${!name}/text,text,text"
    done
    echo "${task_args}"
}

# tokens_name: other tokens, other files; those of another --train-set are others.
tokens_name() {
    local name=${token_type} of=
    if [ "${token_type}" = bpe ]; then name=bpe${nbpe}; fi
    if [ "${train_set}" != train ]; then of=_${train_set}; fi
    echo "${name}${of}"
}

# encoder_of SYSTEM: the encoder directory that a system is fine-tuned from.
encoder_of() {
    case $1 in
        pruned) echo "${pruned_encoder:-${expdir}/recover/encoder}" ;;
        teacher) echo "${teacher:-${expdir}/teacher}" ;;
        scratch) echo "${expdir}/scratch" ;;
        distilhubert) echo "${expdir}/distilhubert/encoder" ;;
        *) die "unknown system $1; known: pruned teacher scratch distilhubert" ;;
    esac
}

# experiments: every system and seed that is fine-tuned, one "SYSTEM SEED" per line.
experiments() {
    local system this_seed
    for system in ${systems}; do
        for this_seed in ${seeds}; do
            echo "${system} ${this_seed}"
        done
    done
}

# experiment_dir SYSTEM SEED
experiment_dir() { echo "${expdir}/${task}_$1_seed$2"; }

# tune_encoder FOLDER ENCODER SEED OPTIONS: fine-tune an encoder in FOLDER/tuned, to its
# scores; OPTIONS are those of --task-args, or empty: what it starts from. It is fine-tuned
# already and needs no detectors of words.
tune_encoder() {
    once "$1/.tuned" ./run.sh --stage train --stop-stage score --systems pruned \
        --pruned-encoder "$2" --seeds "$3" --expdir "$1/tuned" --stats-dir "${stats_dir}" \
        --train-set "${train_set}" --valid-set "${valid_set}" --test-sets "${test_sets}" \
        --token-type "${token_type}" --nbpe "${nbpe}" --task-config "${tune_config}" \
        --inference-config "${inference_config}" --inference-model "${inference_model}" \
        --cmd-backend "${cmd_backend}" --ngpu "${ngpu}" --nj 1 --num-threads 1 \
        --word-detectors false ${4:+--task-args "$4"}
}
