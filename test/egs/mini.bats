#!/usr/bin/env bats
# egs/mini/asr1 in a tiny setting, in earnest: a training is killed, the same command
# goes on to the results, a third run does nothing again. What needs no training is in
# recipe.bats.
# shellcheck disable=SC2154  # bats sets stderr
# shellcheck disable=SC2153  # copy_recipe sets RECIPE

bats_require_minimum_version 1.5.0
load helpers

SYSTEMS="teacher pruned scratch"
TINY=(--data-opts "--num-train 60 --num-dev 12 --num-test 12"
    --encoder-args "--max_epoch 2 --num_iters_per_epoch 8"
    --task-args "--max_epoch 1 --num_iters_per_epoch 8")

setup_file() {
    copy_recipe mini/asr1
    tiny --systems "$SYSTEMS" > "$BATS_FILE_TMPDIR/first" 2>&1 3>&- &
    local recipe=$! status=0
    if until_true 900 epoch_ended_or_gone "$recipe"; then kill_training; fi
    wait "$recipe" || status=$?
    echo "$status" > "$BATS_FILE_TMPDIR/first.status"
    status=0
    tiny --systems "$SYSTEMS" > "$BATS_FILE_TMPDIR/second" 2>&1 || status=$?
    echo "$status" > "$BATS_FILE_TMPDIR/second.status"
}

teardown_file() { remove_recipe; }

setup() { cd "$RECIPE" || exit 1; }

tiny() { "$RECIPE/run.sh" --expdir exp_tiny "${TINY[@]}" "$@"; }

epoch_ended_or_gone() {
    [ -e "$RECIPE/exp_tiny/distill/checkpoint.pth" ] || ! kill -0 "$1" 2> /dev/null
}

# Kills the process group of the distillation as the system does that lacks memory.
kill_training() {
    local file job="python -m pruneasr.bin.distill_train"
    for file in /proc/[0-9]*/cwd; do
        if [ "$(readlink "$file")" = "$RECIPE" ] \
            && [[ "$(tr '\0' ' ' < "${file%/cwd}/cmdline")" == "$job"* ]]; then
            kill -9 -- "-$(cut -d ' ' -f 5 "${file%/cwd}/stat")"
            return
        fi
    done
}

@test "a training that is killed fails the recipe, which names the log" {
    cat "$BATS_FILE_TMPDIR/first"
    [ "$(cat "$BATS_FILE_TMPDIR/first.status")" -eq 1 ]
    grep -q "exp_tiny/distill/train.log" "$BATS_FILE_TMPDIR/first"
    [[ "$(tail -n 1 "$BATS_FILE_TMPDIR/first")" == *"stage distill: failed; "* ]]
}

@test "the same command goes on where it was killed, and finishes" {
    cat "$BATS_FILE_TMPDIR/second"
    [ "$(cat "$BATS_FILE_TMPDIR/second.status")" -eq 0 ]
    grep -q "done before: exp_tiny/teacher/.done" "$BATS_FILE_TMPDIR/second"
    grep -q "resumed using exp_tiny/distill/checkpoint.pth" exp_tiny/distill/train.log
    run ! grep -q "1/2epoch started" exp_tiny/distill/train.log
    grep -q "2/2epoch started" exp_tiny/distill/train.log
}

@test "RESULTS.md has the word error rate of every system, and both figures" {
    for system in $SYSTEMS; do
        grep -E "^\| $system \|.*[0-9]" RESULTS.md
    done
    for figure in structure history; do
        grep -q "](figures/$figure.png)" RESULTS.md
        [ -s "figures/$figure.png" ]
    done
}

@test "the pruned encoder has its model card beside it" {
    card=exp_tiny/recover/encoder
    grep -q "^library_name: pruneasr" $card/README.md
    grep -q "$(sha256sum exp_tiny/teacher/model.safetensors | cut -d " " -f 1)" $card/README.md
    [ "$(grep -c "src=.data:image/png;base64," $card/card.html)" -eq 2 ]
}

@test "every system is decoded in full and packed" {
    for system in $SYSTEMS; do
        dir=exp_tiny/asr_${system}_seed1
        [ "$(wc -l < "$dir/decode/test/text")" -eq 12 ]
        python3 -m zipfile --list "$dir/packed.zip" | grep -q "epoch.pth"
    done
}

@test "what is done is skipped: a further run starts no job" {
    touch now
    SECONDS=0
    run --separate-stderr tiny --systems "$SYSTEMS" --stop-stage pack
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [ "$stderr" = "" ]
    [ "$SECONDS" -lt 15 ]
    [[ "$output" != *warning* ]]
    [ "$(find data exp_tiny -newer now -type f ! -name text_shape.tokens ! -name commands)" = "" ]
}

@test "a pruned encoder from elsewhere is fine-tuned without stages 2 to 5" {
    cp -r exp_tiny/recover/encoder given
    run tiny --expdir exp_given --pruned-encoder given --systems pruned \
        --results-dir results
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c "skipped: the encoder is given" <<< "$output")" -eq 4 ]
    [ "$(cd exp_given && echo *)" = "asr_pruned_seed1 asr_stats_word commands" ]
    grep -E "^\| pruned \|.*[0-9]" results/RESULTS.md
}
