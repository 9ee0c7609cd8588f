#!/usr/bin/env bats
# egs/TEMPLATE: options, stages and their inputs, failures, signals. A stand-in for
# python serves, so nothing is trained; mini.bats runs a recipe in earnest.
# shellcheck disable=SC2153,SC2154  # copy_recipe sets RECIPE, bats stderr
# shellcheck disable=SC2016  # dollars are for the stand-ins

bats_require_minimum_version 1.5.0
load helpers

STAGES=(data teacher distill prune recover tokens stats train decode score pack report)

setup() {
    copy_recipe mini/asr1
    cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown() { remove_recipe; }

# Puts a stand-in for python in front of the recipe's own. It appends its command to
# $RECIPE/calls and then does what the given shell code says.
pretend() {
    mkdir "$RECIPE/stand_in"
    # the environment is set up by the true one
    echo "export PATH=$RECIPE/stand_in:\$PATH" > "$RECIPE/local/path.sh"
    cat > "$RECIPE/stand_in/python" << END
#!/usr/bin/env bash
echo "\$*" >> "$RECIPE/calls"
$1
END
    chmod +x "$RECIPE/stand_in/python"
}

# pretend_again CODE: another one in its place
pretend_again() {
    rm -r "$RECIPE/stand_in"
    pretend "$1"
}

# made FILE...: the files of stages that are not run in a test.
made() {
    local file
    for file in "$@"; do
        mkdir -p "$RECIPE/$(dirname "$file")"
        echo "a line" > "$RECIPE/$file"
    done
}

# What stages say, without the time.
without_time() { sed -E 's/^[-0-9]+ [:0-9]+ //; /successfully finished/d' <<< "$output"; }

# refused MESSAGE OPTIONS...: run.sh fails, says so on stderr, and makes nothing.
refused() {
    local message=$1
    shift
    run --separate-stderr "$RECIPE/run.sh" "$@"
    echo "options: $*; stderr: $stderr"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"$message"* ]]
    [ ! -e "$RECIPE/data" ]
    [ ! -e "$RECIPE/exp" ]
}

@test "--help, from any directory, names every stage" {
    run "$RECIPE/run.sh" --help
    [ "$status" -eq 0 ]
    for name in "${STAGES[@]}" --dry-run --pruned-encoder --cmd-backend; do
        [[ "$output" == *"$name"* ]]
    done
}

@test "a wrong option, stage, system, backend or argument is refused" {
    refused "invalid option --stages" --stages 3
    refused "option --stage needs a value" --stage
    refused "unknown stage 13; stages: data teacher" --stage 13
    refused "unknown stage pruning" --stop-stage pruning
    refused "--stage 5 comes after --stop-stage prune" --stage 5 --stop-stage prune
    refused "unknown system tiny; known: pruned teacher" --systems "teacher tiny"
    refused "expected names in --systems" --systems ""
    refused "expected numbers in --seeds" --seeds "1,2"
    refused "the configuration conf/none.yaml, found no such file" --task-config conf/none.yaml
    refused "found lsf" --cmd-backend lsf
    refused "unexpected argument prune" prune
    refused 'expected "true" or "false"' --dry-run yes
}

@test "a given encoder that does not exist is refused at once" {
    refused "expected an encoder (config.json, model.safetensors) in none" --teacher none
    refused "in none" --pruned-encoder none
    mkdir given && touch given/config.json
    refused "make the encoder of teacher" --pruned-encoder "$PWD/given" \
        --systems "teacher pruned"
}

@test "data, tokens and lengths wait for no encoder" {
    for options in "--teacher none" "--pruned-encoder none --systems pruned" \
        "--pruned-encoder none --systems teacher"; do
        for stage in data tokens stats; do
            # shellcheck disable=SC2086  # words
            run "$RECIPE/run.sh" --dry-run true $options --stage $stage --stop-stage $stage
            echo "$options: $output"
            [ "$status" -eq 0 ]
        done
        # shellcheck disable=SC2086  # words
        refused "none" $options --stage data --stop-stage train
    done
    # nor those of the recipes at full size, whose encoders are made elsewhere
    for recipe in librispeech/asr1 slurp/slu1; do
        copy_files $recipe "${RECIPE%/*}/${recipe%/*}"
        script=${RECIPE%/*}/${recipe%/*}/run.sh
        options=(--dry-run true --teacher none --recipe-encoder none)
        run "$script" "${options[@]}" --stage data --stop-stage data
        echo "$recipe: $output"
        [ "$status" -eq 0 ]
        run "$script" "${options[@]}"
        [ "$status" -eq 1 ]
        [[ "$output" == *"expected an encoder (config.json, model.safetensors) in none;"* ]]
    done
}

@test "a dry run prints the commands of all stages and makes nothing" {
    made conf/distilhubert.yaml
    find "$RECIPE" | sort > before
    run --separate-stderr "$RECIPE/run.sh" --dry-run true \
        --systems "teacher pruned scratch distilhubert" --seeds "1 2"
    [ "$status" -eq 0 ]
    [ "$stderr" = "" ]
    find "$RECIPE" | sort | diff before -
    for command in local/data.sh bin.pretrain_train bin.distill_train bin.prune \
        bin.recover_train bin.init_encoder bin.tokens "--collect_stats true" \
        "ckpt=exp/scratch" exp/asr_distilhubert_seed2 bin.asr_inference bin.score \
        bin.pack; do
        [[ "$output" == *"$command"* ]] || { echo "no $command"; false; }
    done
    for number in {1..12}; do [[ "$output" == *"stage $number of 12"* ]]; done
}

@test "stages are given by number or by name" {
    run "$RECIPE/run.sh" --stage 3 --stop-stage 5 --dry-run
    [ "$status" -eq 0 ]
    numbers=$(without_time)
    run "$RECIPE/run.sh" --dry-run true --stage distill --stop-stage recover
    [ "$numbers" = "$(without_time)" ]
    [[ "$numbers" == *"(distill) stage 3"*"(prune) stage 4"*"(recover) stage 5"* ]]
    [[ "$numbers" != *"stage 2 "* && "$numbers" != *"stage 6 "* ]]
}

@test "with --pruned-encoder, stages 2 to 5 are skipped" {
    mkdir given && touch given/config.json
    run "$RECIPE/run.sh" --dry-run true --pruned-encoder "$PWD/given"
    [ "$status" -eq 0 ]
    [ "$(grep -c "skipped: the encoder is" <<< "$output")" -eq 4 ]
    [[ "$output" != *distill_train* && "$output" != *recover_train* ]]
    [[ "$output" == *"ckpt=$PWD/given "* ]]
    [[ "$output" != *asr_teacher* ]] # a system of the recipe, but not asked for
}

@test "what a recipe has in place of --pruned-encoder goes with all its systems" {
    mkdir given && touch given/config.json
    options=(--dry-run true --stage train --stop-stage train --teacher "$PWD/given"
        --recipe-encoder "$PWD/given")
    run "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 0 ]
    [ "$(grep -c "ckpt=$PWD/given " <<< "$output")" -eq 2 ]
    mkdir mine && touch mine/config.json
    run "$RECIPE/run.sh" "${options[@]}" --pruned-encoder "$PWD/mine"
    [ "$(grep -c "ckpt=$PWD/" <<< "$output")" -eq 1 ]
    [[ "$output" == *"ckpt=$PWD/mine "* ]]
}

@test "without a pruned system, stages 3 to 5 are skipped" {
    run "$RECIPE/run.sh" --dry-run true --systems teacher
    [ "$status" -eq 0 ]
    [ "$(grep -c "skipped: no system but the teacher" <<< "$output")" -eq 3 ]
    [[ "$output" == *pretrain_train* && "$output" == *"ckpt=exp/teacher "* ]]
    [[ "$output" != *distill_train* && "$output" != *recover_train* ]]
}

@test "a stage without its input names the stage to run" {
    pretend "exit 9"
    for pair in teacher:data distill:teacher prune:distill recover:prune tokens:data \
        stats:tokens train:stats decode:train score:decode pack:train report:score; do
        run "$RECIPE/run.sh" --stage "${pair%:*}"
        echo "$pair: $output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"stage ${pair%:*}: expected "*", which stage ${pair#*:} makes"* ]]
    done
    [ ! -e "$RECIPE/calls" ]
}

@test "train names the stage that makes the encoder it lacks" {
    made exp/asr_stats_word/train/text_shape.tokens
    run "$RECIPE/run.sh" --stage train --systems "teacher pruned"
    [[ "$output" == *"expected exp/teacher/config.json, which stage teacher makes"* ]]
    made exp/teacher/config.json
    run "$RECIPE/run.sh" --stage train --systems "teacher pruned"
    [[ "$output" == *"recover/encoder/config.json, which stage recover makes"* ]]
}

@test "a distillation that is not finished is not pruned" {
    made exp/distill/latest.pth exp/distill/config.yaml
    run "$RECIPE/run.sh" --stage prune
    [ "$status" -eq 1 ]
    [[ "$output" == *"which stage distill makes"* ]]
}

@test "a job that fails stops the recipe, which names the log; the next run tries again" {
    pretend 'echo "no memory left"; exit 3'
    made exp/distill/.done
    run --separate-stderr "$RECIPE/run.sh" --stage prune
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"exp/pruned/prune.log"* ]]
    [[ "$stderr" == *"stage prune: failed; the reason is above or in the logs in"* ]]
    [[ "$output" != *"stage 5"* ]]
    grep -q "no memory left" "$RECIPE/exp/pruned/prune.log"
    [ ! -e "$RECIPE/exp/pruned/.done" ]
    echo "exit 0" > "$RECIPE/stand_in/python"
    run "$RECIPE/run.sh" --stage prune --stop-stage prune
    [ "$status" -eq 0 ]
    [ -e "$RECIPE/exp/pruned/.done" ]
}

@test "of several jobs one fails: the others end, the recipe fails" {
    pretend 'case $* in *"--seed 2 "*) exit 3 ;; *) sleep 0.5 ;; esac'
    made exp/asr_stats_word/train/text_shape.tokens exp/recover/encoder/config.json
    run --separate-stderr "$RECIPE/run.sh" --stage train --systems pruned \
        --seeds "1 2 3 4" --nj 2
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"exp/asr_pruned_seed2/train.log"* ]]
    [[ "$stderr" == *"stage train: a job failed"* ]]
    [[ "$output" != *"stage 9"* ]]
    for seed in 1 3 4; do [ -e "$RECIPE/exp/asr_pruned_seed$seed/.done" ]; done
    [ ! -e "$RECIPE/exp/asr_pruned_seed2/.done" ]
}

@test "what is done is not done again; another command in its place is refused" {
    pretend ""
    made data/train/text
    run "$RECIPE/run.sh" --stage tokens --stop-stage tokens
    [ "$status" -eq 0 ]
    before=$(wc -l < "$RECIPE/calls")
    run "$RECIPE/run.sh" --stage tokens --stop-stage tokens
    [ "$status" -eq 0 ]
    [[ "$output" == *"done before: data/tokens_word/.done"* ]]
    run --separate-stderr "$RECIPE/run.sh" --stage tokens --stop-stage tokens --nbpe 7
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"data/tokens_word/.done was made by another command, or with"*"--nbpe 100"* ]]
    [[ "$stderr" == *"than now:"*"--nbpe 7"*"remove data/tokens_word and"* ]]
    [ "$(wc -l < "$RECIPE/calls")" -eq "$before" ]
}

@test "a finished step is refused whose settings have changed since, but for comments" {
    pretend ""
    made exp/asr_stats_word/train/text_shape.tokens exp/recover/encoder/config.json
    options=(--stage train --stop-stage train --systems pruned)
    run "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 0 ]
    sed -i 's/^max_epoch/# more\nmax_epoch/; s/$/  # a comment/' "$RECIPE/conf/train_asr.yaml"
    run "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 0 ]
    sed -i 's/^max_epoch: /max_epoch: 1/' "$RECIPE/conf/train_asr.yaml"
    run --separate-stderr "$RECIPE/run.sh" "${options[@]}"
    echo "$stderr"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"asr_pruned_seed1/.done was made by another command, or with other settings"* ]]
    [[ "$stderr" == *"conf/train_asr.yaml "*"than now:"*"conf/train_asr.yaml "* ]]
}

@test "a training that was begun goes on under its own options only" {
    pretend 'touch exp/asr_pruned_seed1/checkpoint.pth; exit 1'
    made exp/asr_stats_word/train/text_shape.tokens exp/recover/encoder/config.json
    options=(--stage train --stop-stage train --systems pruned)
    run "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 1 ]
    before=$(wc -l < "$RECIPE/calls")
    run --separate-stderr "$RECIPE/run.sh" "${options[@]}" --task-args "--max_epoch 9"
    echo "$stderr"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"or remove exp/asr_pruned_seed1/.done.begun alone to go on from its checkpoint"* ]]
    [ "$(wc -l < "$RECIPE/calls")" -eq "$before" ]
    pretend_again 'exit 0'
    run "$RECIPE/run.sh" "${options[@]}" --ngpu 1 --num-threads 1 # not what decides
    echo "$output"
    [ "$status" -eq 0 ]
    [ ! -e "$RECIPE/exp/asr_pruned_seed1/.done.begun" ]
}

@test "data of other corpora than before are refused" {
    pretend ""
    printf '#!/bin/sh\ntouch data/heard.$AN4\n' > "$RECIPE/local/data.sh"
    echo 'AN4=${AN4:-downloads}' > "$RECIPE/db.sh"
    options=(--stage data --stop-stage data)
    AN4=here run "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 0 ]
    [ -e "$RECIPE/data/heard.here" ]
    AN4=here run "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 0 ]
    AN4=there run --separate-stderr "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"env AN4=here "*"than now:"*"env AN4=there "*"Give the same options, or remove data and what was made of it" ]]
}

@test "slots without an order are put in that of speech, once, whatever hears them" {
    pretend ""
    made data/train/text exp/teacher/config.json given/config.json
    options=(--spoken-order true --stage tokens --stop-stage tokens)
    run "$RECIPE/run.sh" "${options[@]}"
    [ "$status" -eq 0 ]
    grep "bin.order_slots --encoder exp/teacher --train data/train data/train data/dev" \
        "$RECIPE/calls"
    [[ "$(grep -n "bin.order_slots" "$RECIPE/calls")" == 1:* ]]
    run "$RECIPE/run.sh" "${options[@]}" --pruned-encoder given
    [ "$status" -eq 0 ]
    [[ "$output" == *"done before: data/spoken_order/.done"* ]]
    [ "$(grep -c bin.order_slots "$RECIPE/calls")" -eq 1 ]
    run "$RECIPE/run.sh" "${options[@]}" --spoken-order false
    [ "$status" -eq 1 ]
    [[ "$output" == *"remove data/.done and begin with --stage data"* ]]
    # the data are made again, and with them the text in the labels' order
    run "$RECIPE/run.sh" --stage data --stop-stage data
    [ ! -e "$RECIPE/data/spoken_order" ]
    rm -r "$RECIPE/exp"
    run "$RECIPE/run.sh" "${options[@]}" --pruned-encoder given --systems pruned
    [ "$(grep -c "bin.order_slots --encoder given" "$RECIPE/calls")" -eq 1 ]
}

@test "every fine-tuning begins as detectors of words of its own, where it shall" {
    pretend ""
    made exp/asr_stats_word/train/text_shape.tokens exp/teacher/config.json \
        exp/recover/encoder/config.json
    run "$RECIPE/run.sh" --stage train --stop-stage train --word-detectors true \
        --systems "teacher pruned" --seeds "3" --nj 1
    [ "$status" -eq 0 ]
    grep -E "bin.detect_words --encoder exp/teacher .*--tokens data/tokens_word --seed 3" \
        "$RECIPE/calls"
    grep -F -- "--init_param exp/asr_teacher_seed3/words.pth" "$RECIPE/calls"
    grep -F "bin.detect_words --encoder exp/recover/encoder" "$RECIPE/calls"
    grep -F -- "--init_param exp/asr_pruned_seed3/words.pth" "$RECIPE/calls"
    rm -r "$RECIPE/calls" "$RECIPE"/exp/asr_*_seed3
    run "$RECIPE/run.sh" --stage train --stop-stage train --systems teacher --seeds 3
    [ "$status" -eq 0 ]
    run ! grep -E "detect_words|init_param" "$RECIPE/calls"
}

@test "who runs a command, and on how much, makes no other command of it" {
    pretend ""
    made data/dev/wav.scp exp/teacher/config.json exp/asr_stats_word/train/text_shape.tokens \
        exp/recover/encoder/config.json
    sed -i 's/^command .*/command no such program/' "$RECIPE/conf/slurm.conf"
    for stage in distill train; do
        run "$RECIPE/run.sh" --stage $stage --stop-stage $stage --num-threads 1
        [ "$status" -eq 0 ]
        for nodes in "--num-threads 3" "--num-threads 1 --num-nodes 2"; do
            # shellcheck disable=SC2086  # words
            run "$RECIPE/run.sh" --stage $stage --stop-stage $stage $nodes \
                --ngpu 2 --nj 7 --cmd-backend slurm
            echo "$output"
            [ "$status" -eq 0 ]
            [[ "$output" == *"done before: "* ]]
        done
    done
}

@test "a command that is itself a recipe is the same on another backend" {
    run bash -c '. "$1/../egs/TEMPLATE/lib.sh"; what_runs' - "$BATS_TEST_DIRNAME/.." \
        <<< "./run.sh --seeds 1 --cmd-backend slurm --ngpu 2 --device cuda --nj 1"
    [ "$output" = "./run.sh --seeds 1 --nj 1" ]
}

@test "a batch system is asked for the threads that a training takes" {
    options=(--dry-run true --stage distill --stop-stage distill --cmd-backend slurm)
    run "$RECIPE/run.sh" "${options[@]}" --num-threads 3
    [[ "$output" == *"--name\ distill\ --num-threads\ 3"*"env OMP_NUM_THREADS=3 "* ]]
    run --separate-stderr "$RECIPE/run.sh" "${options[@]}" --num-threads 3 --num-nodes 2
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"--num-threads goes with one node"* ]]
    # those of this machine say nothing of its machines
    run "$RECIPE/run.sh" "${options[@]}"
    [[ "$output" == *"env OMP_NUM_THREADS=1 "* ]]
    [[ "$output" != *"--num-threads"* ]]
}

@test "statistics are collected without a GPU, whatever the fine-tuning has" {
    run "$RECIPE/run.sh" --dry-run true --stage stats --stop-stage train --ngpu 2 \
        --systems teacher --cmd-backend slurm
    [ "$status" -eq 0 ]
    grep -E -- "^slurm.pl .*--collect_stats true .* --ngpu 0 " <<< "$output"
    grep -E -- "^slurm.pl .* --gpu 2 exp/asr_teacher_seed1/train.log .* --ngpu 2 " <<< "$output"
}

# with_cores N COMMAND...: on a machine that has so many, after path.sh in another shell
with_cores() {
    mkdir -p bin
    printf '#!/bin/sh\necho ${OMP_NUM_THREADS:-${OMP_THREAD_LIMIT:-%s}}\n' "$1" > bin/nproc
    chmod +x bin/nproc
    shift
    PATH=$PWD/bin:$PATH OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 SLURM_CPUS_PER_TASK='' \
        run "$@"
}

@test "jobs and threads are as many as cores here, and 32 jobs of a batch system" {
    options=(--dry-run true --systems teacher --teacher "$PWD")
    touch config.json
    with_cores 7 "$RECIPE/run.sh" "${options[@]}" --stage decode
    [[ "$output" == *"run.pl JOB=1:7 "* ]]
    for backend in sge slurm pbs; do
        with_cores 7 "$RECIPE/run.sh" "${options[@]}" --stage decode --cmd-backend $backend
        [[ "$output" == *".pl --config conf/"*" JOB=1:32 "* ]]
    done
    with_cores 7 "$RECIPE/run.sh" --dry-run true --stage distill --stop-stage distill
    [[ "$output" == *" env OMP_NUM_THREADS=7 "* ]]
}

@test "the processes of a training on several GPUs share its threads" {
    options=(--dry-run true --stage distill --stop-stage distill --num-threads 6)
    run "$RECIPE/run.sh" "${options[@]}" --ngpu 2
    [[ "$output" == *"--num-threads\ 6"*"env OMP_NUM_THREADS=3 "* ]]
    run "$RECIPE/run.sh" "${options[@]}" --ngpu 8
    [[ "$output" == *"env OMP_NUM_THREADS=1 "* ]]
}

@test "another training set has tokens and lengths of its own" {
    run "$RECIPE/run.sh" --dry-run true --train-set train_960 --stage tokens --stop-stage train
    [ "$status" -eq 0 ]
    [[ "$output" == *"--output data/tokens_word_train_960 "* ]]
    [[ "$output" == *"--token_list data/tokens_word_train_960/tokens.txt "* ]]
    [[ "$output" == *"exp/asr_stats_word_train_960/train/speech_shape "* ]]
}

@test "what the tokens lack is an error in the training set, a warning in others" {
    options=(--dry-run true --stage tokens --stop-stage tokens --test-sets "one two")
    run "$RECIPE/run.sh" "${options[@]}" --token-type bpe --nbpe 50
    [ "$(grep check_data <<< "$output" | sed 's/ $//')" = "\
python -m pruneasr.bin.check_data data/train --tokens data/tokens_bpe50
python -m pruneasr.bin.check_data data/dev --tokens data/tokens_bpe50 --allow-unknown
python -m pruneasr.bin.check_data data/one --tokens data/tokens_bpe50 --allow-unknown
python -m pruneasr.bin.check_data data/two --tokens data/tokens_bpe50 --allow-unknown" ]
}

@test "decoding on GPUs asks a batch system for one for each job, and here for one" {
    options=(--dry-run true --stage decode --stop-stage decode --systems pruned --nj 3)
    run "$RECIPE/run.sh" "${options[@]}" --gpu-inference true
    [[ "$output" == *"run.pl --gpu 1 JOB=1:1 "*"asr_inference "*" --ngpu 1 "* ]]
    run "$RECIPE/run.sh" "${options[@]}" --gpu-inference true --cmd-backend slurm
    [[ "$output" == *" --gpu 1 JOB=1:3 "*"asr_inference "*" --ngpu 1 "* ]]
    run "$RECIPE/run.sh" "${options[@]}" --ngpu 2
    [[ "$output" == *"run.pl JOB=1:3 "*"asr_inference "*" --ngpu 0 "* ]]
}

@test "decoding goes on where it was stopped, with the jobs that have not ended well" {
    # its hypotheses are the keys; job 2 fails until it may go
    pretend 'while [ $# -gt 0 ]; do
        case $1 in --output_dir) dir=$2 ;; --key_file) keys=$2 ;; esac
        shift
    done
    if [ -n "$keys" ]; then
        [[ $dir != *.2 ]] || [ -e go ] || exit 3
        mkdir -p "$dir/1best_recog" && cp "$keys" "$dir/1best_recog/text"
    fi'
    made exp/asr_pruned_seed1/valid.cer_ctc.ave.pth data/test/wav.scp
    made conf/decode.yaml conf/other.yaml
    printf 'u%s x.wav\n' 1 2 3 4 > "$RECIPE/data/test/wav.scp"
    decode=("$RECIPE/run.sh" --stage decode --stop-stage decode --systems pruned
        --inference-config conf/decode.yaml)
    run "${decode[@]}" --nj 3
    [ "$status" -eq 1 ]
    touch "$RECIPE/go"
    run "${decode[@]}" --nj 1
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c asr_inference "$RECIPE/calls")" -eq 4 ]
    [ "$(grep -c "asr_inference.*keys.2.scp" "$RECIPE/calls")" -eq 2 ]
    diff "$RECIPE/data/test/wav.scp" "$RECIPE/exp/asr_pruned_seed1/decode/test/text"
    # all have ended well: none is run; but for other options, audio, or another model all
    for other in nothing edited beam audio model; do
        expected=2
        rm "$RECIPE"/exp/asr_pruned_seed1/decode/test/{.done,text}
        : > "$RECIPE/calls"
        case $other in
            nothing) expected=0 ;;
            edited) echo "beam_size: 3" > "$RECIPE/conf/decode.yaml" ;;
            beam) decode+=(--inference-config conf/other.yaml) ;;
            audio) echo "u5 x.wav" >> "$RECIPE/data/test/wav.scp" ;;
            model) touch -d "next hour" "$RECIPE/exp/asr_pruned_seed1/valid.cer_ctc.ave.pth" ;;
        esac
        run "${decode[@]}" --nj 2
        [ "$status" -eq 0 ]
        [ "$(grep -c asr_inference "$RECIPE/calls")" -eq "$expected" ]
        diff "$RECIPE/data/test/wav.scp" "$RECIPE/exp/asr_pruned_seed1/decode/test/text"
    done
}

# stopped_by SIGNAL STATUS: run.sh ends with it, and so do its jobs, side by side.
stopped_by() {
    start_sleepers
    local status=0
    kill -"$1" "$pid"
    wait "$pid" || status=$?
    cat said
    [ "$status" -eq "$2" ]
    sleeping 0
    grep -q "stopping what runs" said
    [ ! -e "$RECIPE/exp/asr_pruned_seed1/.done" ]
    [ ! -L "$RECIPE/exp/.lock" ]
}

# start_sleepers [NUMBER OPTIONS...]: starts run.sh, as number pid, with two jobs side by
# side, or NUMBER.
start_sleepers() {
    local number=${1:-2}
    shift || true
    pretend 'exec sleep 1000.25'
    made exp/asr_stats_word/train/text_shape.tokens exp/recover/encoder/config.json
    # as an interactive shell starts it: one that others start may ignore INT
    env --default-signal=INT "$RECIPE/run.sh" --stage train --systems pruned \
        --seeds "1 2" --nj 2 "$@" > said 2>&1 3>&- &
    pid=$!
    until_true 20 sleeping "$number"
}

# sleeping N: so many stand-ins of this test are at work.
sleeping() {
    local file count=0
    for file in /proc/[0-9]*/cwd; do
        if [ "$(readlink "$file")" = "$RECIPE" ] \
            && grep -qs "1000.25" "${file%/cwd}/cmdline"; then
            count=$((count + 1))
        fi
    done
    [ "$count" -eq "$1" ]
}

@test "setup.sh starts a recipe for either task, whose commands can be printed" {
    local egs="$BATS_TEST_DIRNAME/../../egs" task
    local new="$egs/.test_setup_$$"
    for task in asr slu; do
        run "$egs/TEMPLATE/setup.sh" "$new/${task}1" "$task"
        [ "$status" -eq 0 ]
        run "$new/${task}1/run.sh" --dry-run true
        echo "$output"
        [ "$status" -eq 0 ]
        [[ "$output" == *"espnet2.bin.${task}_train "* ]]
        [[ "$output" == *"bin.task_train --task ${task} "* ]]
    done
    rm -r "$new"
}

@test "setup.sh says what is to be edited, and refuses other tasks" {
    local setup="$BATS_TEST_DIRNAME/../../egs/TEMPLATE/setup.sh"
    run --separate-stderr "$setup" --help
    [ "$status" -eq 0 ]
    for word in FOLDER local/data.sh run.sh "conf/*.conf"; do [[ "$output" == *"$word"* ]]; done
    [ ! -e ./--help ]
    for words in "" "new tts" "new asr slu"; do
        # shellcheck disable=SC2086  # words
        run --separate-stderr "$setup" $words
        [ "$status" -eq 1 ]
        [[ "$stderr" == "Usage: setup.sh FOLDER [asr|slu]"* ]]
        [ ! -e new ]
    done
    run --separate-stderr "$setup" new asr
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"expected a folder "*"/egs/CORPUS/NAME, found new" ]]
    [ ! -e new ]
}

@test "on the GPUs of this machine one training runs after the other" {
    start_sleepers 1 --ngpu 1
    sleep 1 # a second one would be there by now
    sleeping 1
    kill "$pid"
    wait "$pid" || true
}

@test "TERM ends the jobs too" { stopped_by TERM 143; }

@test "TERM to run.sh and its subshells at once, as of pkill -f, ends the jobs too" {
    start_sleepers
    # those that run side by side first, the worst order
    pkill -TERM -P "$pid"
    kill -TERM "$pid" 2> /dev/null || true # it may have ended: its jobs have
    wait "$pid" || true
    until_true 20 sleeping 0
    [ ! -L "$RECIPE/exp/.lock" ]
}

@test "Ctrl-C ends the jobs too" { stopped_by INT 130; }

@test "the warning of a time limit ends the jobs too" { stopped_by USR1 138; }

@test "two runs in one exp directory: the second is refused, a dry run is not" {
    start_sleepers
    run --separate-stderr "$RECIPE/run.sh" --stage train --systems teacher --seeds 3
    [ "$status" -eq 1 ]
    [[ "$stderr" == "lock.sh: exp is in use by process $pid on $(uname -n)" ]]
    [ "$(wc -l < "$RECIPE/exp/commands")" -eq 1 ]
    run "$RECIPE/run.sh" --dry-run
    [ "$status" -eq 0 ]
    # what is left of a run that is killed keeps others out, too
    kill -9 "$pid"
    run --separate-stderr "$RECIPE/run.sh" --stage train
    [ "$status" -eq 1 ]
    [[ "$stderr" =~ "process $pid on $(uname -n), which has ended, but what it started has".*kill\ ([0-9 ]+) ]]
    # shellcheck disable=SC2086  # numbers
    kill ${BASH_REMATCH[1]}
    until_true 5 sleeping 0
    echo "exit 0" > "$RECIPE/stand_in/python"
    run "$RECIPE/run.sh" --stage train --stop-stage train --systems pruned --seeds "1 2"
    [ "$status" -eq 0 ]
    [[ "$output" == *"process $pid on $(uname -n), which has ended: taking over"* ]]
}

@test "data/ is made by one run at a time, whatever their exp directories" {
    pretend 'until [ -e go ]; do sleep 0.1; done'
    made data/train/text
    "$RECIPE/run.sh" --stage tokens --stop-stage tokens --expdir exp_a > said 2>&1 3>&- &
    local pid=$!
    until_true 20 test -L "$RECIPE/data/.lock"
    run --separate-stderr "$RECIPE/run.sh" --stage tokens --stop-stage tokens --expdir exp_b
    touch "$RECIPE/go"
    [ "$status" -eq 1 ]
    [[ "$stderr" == "lock.sh: data is in use by process $pid on $(uname -n)" ]]
    wait "$pid"
    run "$RECIPE/run.sh" --stage tokens --stop-stage tokens --expdir exp_b
    [ "$status" -eq 0 ]
    [ ! -L "$RECIPE/data/.lock" ]
}

@test "every recipe has the files that the cluster backends read, and can be a job" {
    cd "$BATS_TEST_DIRNAME/../../egs"
    for script in [!.T]*/*/run*.sh superb/run.sh; do
        for backend in queue slurm pbs; do [ -r "${script%/*}/conf/$backend.conf" ]; done
        grep -q "^#SBATCH .*--requeue .*--signal=B:USR1@" "$script"
        grep -q "slurm_script" "$script"
    done
}
