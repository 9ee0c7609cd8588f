#!/usr/bin/env bats
# egs/librispeech/asr1 and then egs/slurp/slu1 with every stage and their own conf/, on
# some sentences and an encoder of 12 tiny blocks: what is left untried is the size.
# shellcheck disable=SC2153  # copy_recipe sets RECIPE

bats_require_minimum_version 1.5.0
load helpers

# conf/ is made for GPUs and days
ENCODER="--max_epoch 1 --num_iters_per_epoch 4 --batch_bins 60000 --num_workers 0"
TASK="--max_epoch 1 --batch_bins 60000 --num_workers 0 --encoder_conf num_blocks=1"

setup_file() {
    copy_recipe librispeech/asr1
    (
        cd "$RECIPE" || exit 1
        # shellcheck source=/dev/null
        . ./path.sh
        python "$BATS_TEST_DIRNAME/tiny_corpora.py" librispeech corpus
        cat > tiny.yaml << END
{family: wavlm, dim: 24, num_heads: 2, ffn: 48, num_blocks: 12,
 conv_channels: [8, 8, 8, 8, 8, 8, 8], pos_conv_kernel: 8, pos_conv_groups: 4}
END
        python -m pruneasr.bin.init_encoder --config tiny.yaml --output downloads/wavlm_base
    )
}

teardown_file() { remove_recipe; }

setup() { cd "$RECIPE" || exit 1; }

@test "LibriSpeech: all stages, CTC on 100 h" {
    LIBRISPEECH=corpus run ./run.sh --ngpu 0 --data-opts "--check-counts false" \
        --encoder-args "$ENCODER" --task-args "$TASK"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(wc -l < data/train_960/text)" -eq 30 ]
    grep -E "WER % test_clean \|.* WER % test_other" RESULTS.md
    for system in teacher pruned; do grep -E "^\| $system \|.*[0-9]" RESULTS.md; done
    grep -E "^\| size \(mha_ffn\) \| 0.8000 \|.* 0.8" RESULTS.md
}

@test "LibriSpeech: ablation and HJ-Pruning find what they start from" {
    local config
    run ./run_ablation.sh --dry-run true --seeds 1
    echo "$output"
    [ "$status" -eq 0 ]
    while read -r config; do [ -e "$config" ]; done \
        < <(grep -o "conf/[a-z_]*.yaml" <<< "$output")
    [[ "$output" == *"--config conf/recover_dphubert.yaml --teacher downloads/wavlm_base "* ]]
    [[ "$output" == *"exp/asr_teacher_seed1/valid.cer_ctc.ave.pth:::frontend"* ]]
    run ./run_hj.sh --dry-run true --seeds 1
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "LibriSpeech: CTC and attention on 960 h and pieces of words" {
    run ./run.sh --ngpu 0 --stage tokens --expdir exp_960 --systems pruned \
        --pruned-encoder exp/recover/encoder --train-set train_960 \
        --token-type bpe --nbpe 28 --results-dir results \
        --task-config conf/train_asr_ctc_att.yaml \
        --inference-config conf/decode_asr_ctc_att.yaml \
        --inference-model valid.acc.ave.pth \
        --task-args "$TASK --decoder_conf num_blocks=1"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -E "^\| pruned \|.*[0-9]" results/RESULTS.md
}

# copy_slurp NAME: a copy of SLURP's recipe beside RECIPE, in the variable SLU.
copy_slurp() {
    SLU=${RECIPE%/*}/$1
    copy_files slurp/slu1 "$SLU"
    cd "$SLU" || exit 1
    # shellcheck source=/dev/null
    (. ./path.sh && python "$BATS_TEST_DIRNAME/tiny_corpora.py" slurp corpus)
}

@test "SLURP: what LibriSpeech left is fine-tuned for understanding" {
    local librispeech=$RECIPE predictions=exp/slu_pruned_seed1/decode/test/predictions.jsonl
    copy_slurp slu1
    SLURP=corpus run ./run.sh --ngpu 0 --data-opts "--check-counts false" --nbpe 31 \
        --pruned-encoder "$librispeech/exp/recover/encoder" \
        --task-args "$TASK --decoder_conf num_blocks=1"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -E "^audio_200 lights_set color_type:red time:four 's end$" data/test/text
    grep -E "^\| pruned \|.*[0-9]" RESULTS.md
    grep -q "slu_f1_char" RESULTS.md
    [ "$(grep -cE '^\{"file": "audio-2[0-9]+.flac", "scenario": ' "$predictions")" -eq 10 ]
    grep -q action_accuracy "${predictions%/*}/score_slurp.json"
}

@test "SLURP: its text alone is spoken and goes as far as the statistics" {
    local encoder=$RECIPE/downloads/wavlm_base
    copy_slurp slu2
    rm -r corpus/slurp_real
    SLURP=corpus run ./run.sh --ngpu 0 --data-opts "--synthetic 8" --nbpe 31 \
        --systems teacher --teacher "$encoder" --pruned-encoder "$encoder" \
        --stop-stage stats
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(wc -l < exp/slu_stats_bpe31/train/text_shape.tokens)" -eq 8 ]
}
