#!/usr/bin/env bats
# egs/mini/slu1 whole, in a tiny setting: it makes its own encoder, or takes one.
# shellcheck disable=SC2153  # copy_recipe sets RECIPE

bats_require_minimum_version 1.5.0
load helpers

TINY=(--data-opts "--num-train 40 --num-dev 10 --num-test 10"
    --encoder-args "--max_epoch 1 --num_iters_per_epoch 8" --task-args "--max_epoch 1 --num_iters_per_epoch 8")

setup_file() {
    copy_recipe mini/slu1
    local status=0
    "$RECIPE/run.sh" --expdir exp_tiny --systems pruned "${TINY[@]}" > "$BATS_FILE_TMPDIR/whole" 2>&1 || status=$?
    echo "$status" > "$BATS_FILE_TMPDIR/whole.status"
}

teardown_file() { remove_recipe; }

setup() { cd "$RECIPE" || exit 1; }

@test "all stages run, and RESULTS.md has the rates of understanding" {
    cat "$BATS_FILE_TMPDIR/whole"
    [ "$(cat "$BATS_FILE_TMPDIR/whole.status")" -eq 0 ]
    grep -E "^\| encoder \|.* slot F1 % test \|.* joint acc % test \|" RESULTS.md
    grep -E "^\| pruned \|.*[0-9]" RESULTS.md
    grep -q "|slot_accuracy_device|" RESULTS.md
    grep -q "](figures/structure.png)" RESULTS.md
    run ! grep -q "WER" RESULTS.md
}

@test "the labels of every set are read before anything trains" {
    for labels in "train: 40" "dev: 10" "test: 10"; do
        grep -E "^data/$labels labels, [1-5] intents, slots: .*room \(" "$BATS_FILE_TMPDIR/whole"
    done
    rm data/dev/.checked_labels
    sed -i '1s/$/ time:at 7:30/' data/dev/text
    run "$RECIPE/run.sh" --expdir exp_tiny "${TINY[@]}" --stop-stage data
    echo "$output"
    [ "$status" -eq 1 ]
    grep -F "labels of 1 of 10 utterances cannot be used" <<< "$output"
    grep -F "unknown slot: expected one of ['amount', " <<< "$output"
    sed -i '1s/ time:at 7:30$//' data/dev/text
}

@test "every utterance is understood, scored, and the model packed" {
    dir=exp_tiny/slu_pruned_seed1
    [ "$(wc -l < "$dir/decode/test/text")" -eq 10 ]
    grep -q '"slu_f1_char"' "$dir/decode/test/score_slu.json"
    python3 -m zipfile --list "$dir/packed.zip" | grep -q "epoch.pth"
}

@test "an encoder from elsewhere is fine-tuned without making one" {
    cp -r exp_tiny/recover/encoder given
    # stage 8 alone says what it lacks
    run "$RECIPE/run.sh" --expdir exp_given "${TINY[@]}" --pruned-encoder given --stage 8
    [ "$status" -eq 1 ]
    [[ "$output" == *"which stage stats makes; run that stage first (--stage stats "* ]]
    run "$RECIPE/run.sh" --expdir exp_given "${TINY[@]}" --pruned-encoder given \
        --results-dir results
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(cd exp_given && echo *)" = "commands slu_pruned_seed1 slu_stats_word" ]
    grep -E "^\| pruned \|.*[0-9]" results/RESULTS.md
}

@test "the same encoder is fine-tuned for recognition, in a recipe without a teacher" {
    local slu=$RECIPE asr=${RECIPE%/*}/recognition
    copy_files mini/asr1 "$asr"
    cd "$asr"
    # from the data on; then stage 8 finds all it needs
    run ./run.sh "${TINY[@]}" --pruned-encoder "$slu/exp_tiny/recover/encoder" \
        --stop-stage stats
    echo "$output"
    [ "$status" -eq 0 ]
    run ./run.sh "${TINY[@]}" --pruned-encoder "$slu/exp_tiny/recover/encoder" \
        --stage 8 --stop-stage train
    echo "$output"
    [ "$status" -eq 0 ]
    [ -s exp/asr_pruned_seed1/valid.cer_ctc.ave.pth ]
    [ "$(cd exp && echo *)" = "asr_pruned_seed1 asr_stats_word commands" ]
}
