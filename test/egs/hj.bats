#!/usr/bin/env bats
# egs/TEMPLATE/hj.sh: what it refuses and prints, and in earnest on egs/mini/asr1.
# shellcheck disable=SC2154  # bats sets stderr
# shellcheck disable=SC2153  # copy_recipe sets RECIPE

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    copy_recipe mini/asr1
    cat > "$RECIPE/run_hj.sh" << END
#!/usr/bin/env bash
cd "\$(dirname "\$0")"
exec ../../TEMPLATE/hj.sh --token-type word \\
    --prune-config ../../an4/asr1/conf/prune_asr.yaml "\$@"
END
    chmod +x "$RECIPE/run_hj.sh"
}

teardown_file() { remove_recipe; }

setup() { cd "$RECIPE" || exit 1; }

# refused MESSAGE OPTIONS...
refused() {
    local message=$1
    shift
    run --separate-stderr ./run_hj.sh "$@"
    echo "options: $*; stderr: $stderr"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"$message"* ]]
}

@test "wrong options and missing inputs are refused" {
    refused "invalid option --method" --method mac
    refused "unknown method macs; known: size mac sep_mac transformer latency" --methods macs
    refused "method latency needs --latency-table FILE" --methods latency
    refused "expected --budgets of 1 to 99 percent; found 100" --budgets 100
    refused "nowhere/teacher/config.json, which stage teacher makes" --expdir nowhere
    [ ! -e nowhere ]
}

@test "a dry run prints every point: what is gated and to what it is constrained" {
    run ./run_hj.sh --dry-run true --methods "size sep_mac transformer" --budgets "5 30" \
        --seeds "1 2"
    [ "$status" -eq 0 ]
    [ "$(grep -c task_prune_train <<< "$output")" -eq 12 ]
    [ "$(grep -c "./run.sh --stage train" <<< "$output")" -eq 14 ] # dense, twice
    [[ "$output" == *"--units conv head ffn --constraint_conf kind=size --constraint_conf denominator=whole --constraint_conf target=0.05 "* ]]
    [[ "$output" == *"target.mac_cnn=0.30 --constraint_conf target.mac_transformer=0.30 "* ]]
    [[ "$output" == *"--units head ffn --constraint_conf kind=mac --constraint_conf target=0.30 --constraint_conf multiplier_lr=0.0643 "* ]]
    run ./run_hj.sh --dry-run true --methods mac --budgets 30 --seeds 1 \
        --task-args "--log_interval 7"
    [ "$(grep -cE -- '--log_interval.{1,2}7' <<< "$output")" -eq 3 ] # gates, after, dense
    run ./run_hj.sh --dry-run true --methods mac --budgets 30 --seeds 1 \
        --gate-args "--log_interval 9"
    [ "$(grep -c -- '--log_interval 9' <<< "$output")" -eq 1 ]
    run ./run_hj.sh --dry-run true --methods latency --budgets 30 --seeds 1 \
        --latency-table latency.json
    [[ "$output" == *"kind=latency --constraint_conf latency_table=latency.json --constraint_conf target=0.30 "* ]]
    [ ! -e exp ]
}

@test "a budget out of reach is refused before the first training, with what is in reach" {
    # shellcheck source=/dev/null
    (. ./path.sh && python -m pruneasr.bin.init_encoder --config conf/teacher.yaml \
        --output exp_reach/teacher)
    mkdir -p exp_reach/asr_stats_word/train exp_reach/asr_teacher_seed1
    touch exp_reach/asr_stats_word/train/text_shape.tokens \
        exp_reach/asr_teacher_seed1/valid.cer_ctc.ave.pth
    refused "transformer_95: target sparsity 0.95 of mac cannot be reached" \
        --expdir exp_reach --methods "mac transformer" --budgets "30 95"
    [[ "$stderr" == *"must be from 0 to 0."* ]]
    [[ "$stderr" != *mac_95* && "$stderr" != *_30* ]]
    [ ! -e exp_reach/hj ]
}

@test "every recipe's own run_hj.sh prints its points" {
    local script
    for script in "$BATS_TEST_DIRNAME"/../../egs/[!.T]*/*/run_hj.sh; do
        run "$script" --dry-run true --methods mac --budgets 50 --seeds 1
        echo "$script: $output"
        [ "$status" -eq 0 ]
        [ "$(grep -c "task_prune_train .*--config conf/prune_" <<< "$output")" -eq 1 ]
        [ "$(grep -c "./run.sh --stage train" <<< "$output")" -eq 2 ]
    done
    [[ "$(cd "${script%/*}" && pwd)" == */librispeech/asr1 ]] # the last of them
    [[ "$output" == *"--frontend_conf ckpt=downloads/wavlm_base "*"multiplier_lr=0.0100 "* ]]
}

@test "the whole chain in a tiny setting: table and figure, and nothing twice" {
    ./run.sh --expdir exp_tiny --systems teacher --stop-stage train \
        --data-opts "--num-train 40 --num-dev 10 --num-test 10" --nj 1 \
        --encoder-args "--max_epoch 1 --num_iters_per_epoch 4" \
        --task-args "--max_epoch 1 --num_iters_per_epoch 4"
    tiny=(--expdir exp_tiny --methods sep_mac --budgets 30 --seeds 1 --results-dir results
        --tune-args "--max_epoch 1 --num_iters_per_epoch 4"
        --dense-args "--max_epoch 1 --num_iters_per_epoch 4"
        --gate-args "--max_epoch 1 --num_iters_per_epoch 4
        --encoder_conf output_size=96 --encoder_conf linear_units=192")
    mkdir results
    run ./run_hj.sh "${tiny[@]}"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -E "^\| dense \| 0 \| 1 \|.* 100.0 \|.* 100.0 \|" results/RESULTS_HJ.md
    grep -E "^\| sep_mac \| 30 \| 1 \|.* (69|70)\.[0-9] \|.* [0-9.]+ \|" results/RESULTS_HJ.md
    [ -s results/figures/hj.png ]
    [ -s results/figures/hj_time.png ]
    touch now
    run ./run_hj.sh "${tiny[@]}"
    [ "$status" -eq 0 ]
    # a report writes the cards of the pruned encoders anew
    [ "$(find exp_tiny -newer now -type f ! -name commands ! -name README.md \
        ! -name card.html ! -path '*/pruned/figures/*')" = "" ]
}
