#!/usr/bin/env bats
# egs/TEMPLATE/ablation.sh: what it refuses and prints. Nothing is trained here.
# shellcheck disable=SC2154  # bats sets stderr
# shellcheck disable=SC2153  # copy_recipe sets RECIPE

bats_require_minimum_version 1.5.0
load helpers

setup_file() { copy_recipe an4/asr1; }

teardown_file() { remove_recipe; }

setup() { cd "$RECIPE" || exit 1; }

# refused MESSAGE OPTIONS...
refused() {
    local message=$1
    shift
    run --separate-stderr ./run_ablation.sh "$@"
    echo "options: $*; stderr: $stderr"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"$message"* ]]
}

# lines PATTERN: how many lines of the output hold it
lines() { grep -c -e "$1" <<< "$output" || true; }

# differs VARIANT TEXT: what is run for a variant holds the text
differs() {
    run ./run_ablation.sh --dry-run true --variants "$1" --seeds 1
    [ "$status" -eq 0 ]
    echo "$output"
    [[ "$output" == *"$2"* ]]
}

@test "wrong options and missing inputs are refused" {
    refused "invalid option --variant" --variant full
    refused "unknown variant no_fafp; known: teacher full no_fahp" --variants no_fafp
    refused "random magnitude; target_10 to target_99" --variants target_100
    refused "variant conv needs --whole-target" --variants conv --whole-target ""
    refused "variant free_all needs --all-layers" --variants free_all --all-layers ""
    refused "found 'one'" --seeds one
    refused "nowhere/teacher/config.json, which stage teacher makes" --expdir nowhere
    [ ! -e nowhere ]
}

@test "a dry run prints every point in a folder of its own" {
    run ./run_ablation.sh --dry-run true --seeds "1 2"
    echo "$output"
    [ "$status" -eq 0 ]
    # all but teacher, no_recovery, distilhubert, random, magnitude
    [ "$(lines pruneasr.bin.distill_train)" -eq 32 ]
    [ "$(lines "bin.prune --experiment")" -eq 32 ]
    [ "$(lines "bin.prune --scores")" -eq 4 ]
    [ "$(lines pruneasr.bin.recover_train)" -eq 38 ] # and distilhubert
    [ "$(lines "./run.sh --stage train")" -eq 42 ]
    [ "$(lines "^.*distill_train.* --teacher exp/teacher .*--output_dir exp/ablation/full_seed2/distill .*--seed 2 ")" -eq 1 ]
    [ ! -e exp ]
}

@test "each variant differs from full as its name says" {
    differs no_fahp "--units head ffn mha_layer ffn_layer"
    differs no_ste "--ste false"
    differs no_blocks "--units qk vo ffn"
    differs conv "--units conv qk vo ffn mha_layer ffn_layer --constraint_conf denominator=whole --constraint_conf target=0.676"
    differs target_50 "--constraint_conf target=0.50"
    differs cofi "--config conf/distill_cofi.yaml"
    differs dphubert "--config conf/recover_dphubert.yaml"
    differs no_recovery "--pruned-encoder exp/ablation/full_seed1/pruned"
    differs distilhubert "--parameters-of exp/ablation/full_seed1/pruned"
    differs magnitude "--scores magnitude --teacher exp/teacher --units qk vo ffn --target 0.8 --seed 1"
    differs random "--max_epoch 5 --num_iters_per_epoch 200"
    differs distilhubert "--max_epoch 5 --num_iters_per_epoch 200"
    differs full "asr_teacher_seed1/valid.cer_ctc.ave.pth:::frontend"
    differs ordered "--pairing ordered"
    [ "$(lines "--pairing ordered")" -eq 2 ] # of the recovery, too
    differs fixed_all "--pairing fixed --teacher_layers 1 2 3 4 5 6"
    [ "$(lines "--teacher_layers 1 2 3 4 5 6")" -eq 2 ]
}

@test "points side by side share the cores" {
    mkdir bin
    # shellcheck disable=SC2016  # the dollar is for the stand-in
    printf '#!/bin/sh\necho ${OMP_NUM_THREADS:-8}\n' > bin/nproc
    chmod +x bin/nproc
    PATH=$PWD/bin:$PATH SLURM_CPUS_PER_TASK='' run ./run_ablation.sh --dry-run true \
        --variants full --seeds 1 --nj 2
    rm -r bin
    [[ "$output" == *"env OMP_NUM_THREADS=4 "* ]]
}

@test "no_recovery says that it wants full" {
    mkdir -p exp_tiny/teacher exp_tiny/asr_stats_word/train data/pretrain
    touch exp_tiny/teacher/config.json exp_tiny/asr_stats_word/train/text_shape.tokens \
        data/pretrain/utt2num_samples
    mkdir exp_tiny/asr_teacher_seed1
    touch exp_tiny/asr_teacher_seed1/valid.cer_ctc.ave.pth
    refused "variant no_recovery wants full_seed1; add full to --variants" \
        --expdir exp_tiny --variants no_recovery --seeds 1
    rm -r exp_tiny data
}

@test "probes are run on the encoder of every point, with its seed, beside it" {
    local command
    run ./run_ablation.sh --dry-run true --variants "teacher full no_recovery" \
        --seeds "1 2" --probes "ks er"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(lines "superb/run.sh .*--stop-stage data")" -eq 2 ] # once for all points
    [ "$(lines "superb/run.sh .*--stage features")" -eq 12 ]
    command=$(grep -e "--name no_recovery_seed2 .*--tasks er" <<< "$output")
    [[ "$command" == *"asr1/exp/ablation/full_seed2/pruned "*"--seeds 2 "* ]]
    [[ "$command" == *"--expdir "*"asr1/exp/ablation/no_recovery_seed2/probes "* ]]
    [ ! -e exp ]
}

@test "egs/superb understands what is asked of it" {
    local command where
    mkdir -p exp_tiny/teacher
    touch exp_tiny/teacher/config.json
    run ./run_ablation.sh --dry-run true --expdir exp_tiny --variants teacher \
        --seeds 3 --probes ks
    command=$(grep -e "--stage features" <<< "$output")
    run eval "$command --dry-run true"
    echo "$output"
    rm -r exp_tiny
    [ "$status" -eq 0 ]
    where=$(realpath -ms --relative-to=../../superb "$RECIPE")/exp_tiny
    [[ "$output" == *"superb features --encoder $where/teacher "* ]]
    [[ "$output" == *"$where/ablation/teacher_seed3/probes/teacher_seed3/ks/split1_seed3"* ]]
}
