#!/usr/bin/env bats
# egs/superb whole, on generated sounds and a random encoder.
# shellcheck disable=SC2153  # copy_recipe sets RECIPE
# shellcheck disable=SC2154  # bats sets stderr

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    local egs entry status=0 task
    egs=$(cd "$BATS_TEST_DIRNAME/../../egs" && pwd)
    export RECIPE=$egs/.test-superb-$$ # as deep as the recipe, so that its links hold
    mkdir "$RECIPE"
    for entry in "$egs"/superb/*; do
        case ${entry##*/} in
            data | exp* | figures | RESULTS.md) ;;
            *) cp -a "$entry" "$RECIPE" ;;
        esac
    done
    cd "$RECIPE" || exit 1
    mkdir tiny
    for task in ks er sid; do
        cat > "tiny/$task.yaml" << END
probe: {projection: 8}
training: {learning_rates: [1.0e-2, 1.0e-4], steps: 2, eval_steps: 1, batch_size: 8}
END
    done
    PYTHONPATH=$BATS_TEST_DIRNAME/.. python3 "$BATS_TEST_DIRNAME/tiny_superb.py" corpora
    export SPEECH_COMMANDS=$RECIPE/corpora/commands EMODB=$RECIPE/corpora/emotions
    export LIBRISPEECH=$RECIPE/corpora/readers AN4=
    OPTIONS=(--encoder corpora/encoder --name tiny --config-dir tiny)
    ./run.sh "${OPTIONS[@]}" --tasks "ks qbe sid" --nj 2 > whole 2>&1 || status=$?
    echo "$status" > whole.status
}

teardown_file() { rm -rf "$RECIPE"; }

setup() {
    cd "$RECIPE" || exit 1
    OPTIONS=(--encoder corpora/encoder --name tiny --config-dir tiny)
}

# refused MESSAGE OPTIONS...
refused() {
    local message=$1
    shift
    run --separate-stderr ./run.sh "$@"
    echo "options: $*; stderr: $stderr"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"$message"* ]]
}

@test "all stages run, and RESULTS.md has every task, named as what it is" {
    cat whole
    [ "$(cat whole.status)" -eq 0 ]
    grep "^| encoder | params M | seeds | ks acc | qbe mtwv | sid acc |" RESULTS.md
    grep -E "^\| tiny \| 0\.[0-9]+ \| 1 \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|" RESULTS.md
    for task in ks qbe sid; do
        grep "^| exp/tiny/$task/split1_seed1/test/score.json | $task " RESULTS.md
    done
    grep "| corpora/encoder | $(sha256sum < corpora/encoder/model.safetensors \
        | cut -d' ' -f1) |" RESULTS.md
    grep "those of tiny, not conf/official; the sets of ks qbe sid are what" RESULTS.md
    grep -q "KS, keyword spotting: Speech Commands excerpt, 2 words" RESULTS.md
    [ "$(grep -c "| ks/split1_seed1 | learning rate " RESULTS.md)" -eq 2 ]
    [ "$(grep -c "| qbe/split1_seed1 | layer " RESULTS.md)" -eq 4 ]
    grep -q "](figures/superb.png)" RESULTS.md
    [ -s figures/superb.png ]
}

@test "speakers of the sets are apart, and every test utterance is predicted" {
    local sets=(data/ks/split1/{train,dev,test}/spk2utt)
    [ "$(cut -d' ' -f1 "${sets[@]}" | sort | uniq -d)" = "" ]
    [ "$(cut -d' ' -f1 exp/tiny/ks/split1_seed1/test/predictions)" \
        = "$(cut -d' ' -f1 data/ks/split1/test/text)" ]
}

@test "what is done is not done again" {
    touch now
    run ./run.sh "${OPTIONS[@]}" --tasks "ks qbe sid" --nj 1 --results-dir results
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(find exp data -newer now -type f ! -name commands)" = "" ]
    diff <(grep "^|" RESULTS.md) <(grep "^|" results/RESULTS.md)
}

@test "features of other audio are refused, by the stages that would read them too" {
    local list=data/ks/split1/dev/wav.scp stage wav
    wav=$(head -n 1 "$list" | cut -d' ' -f2-)
    touch -r "$wav" before
    touch -d "1 hour" "$wav"
    for stage in features train decode; do
        refused "data/ks names other utterances or changed files than exp/tiny/features/ks" \
            "${OPTIONS[@]}" --tasks ks --stage "$stage" --stop-stage "$stage"
    done
    touch -r before "$wav"
    cp "$list" kept
    echo "zz_new $RECIPE/corpora/commands/audio/one_0_0.flac" >> "$list"
    refused "begin with --stage features" "${OPTIONS[@]}" --tasks ks --stage features
    cp kept "$list"
    ./run.sh "${OPTIONS[@]}" --tasks ks --stage features --stop-stage decode
}

@test "a dry run prints all commands: emotions have five splits, QbE one seed" {
    run ./run.sh "${OPTIONS[@]}" --tasks "er qbe" --seeds "1 2" --dry-run true \
        --expdir elsewhere --cmd-backend slurm
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c "slurm.pl.*superb train --task er" <<< "$output")" -eq 10 ]
    [ "$(grep -c "superb train --task qbe" <<< "$output")" -eq 1 ]
    [ "$(grep -c "superb evaluate" <<< "$output")" -eq 11 ]
    [ ! -e elsewhere ]
}

@test "wrong options and missing inputs are refused" {
    refused "unknown task st; known: pr asr" "${OPTIONS[@]}" --tasks "ks st"
    refused "expected tiny/asr.yaml (--config-dir)" "${OPTIONS[@]}" --tasks asr
    refused "in --encoder, found 'nowhere'" --encoder nowhere
    refused "unknown stage distill; stages: data features" "${OPTIONS[@]}" --stage distill
    refused "comes after" "${OPTIONS[@]}" --stage score --stop-stage train
    refused "which stage features makes" "${OPTIONS[@]}" --tasks ks --name other \
        --stage train
}

@test "a task without its corpus is refused, and its home is named" {
    run ./run.sh --encoder corpora/encoder --tasks pr --expdir exp_pr \
        --stop-stage data
    [ "$status" -eq 1 ]
    [[ "$output" == *"expected a folder with manifest.tsv in AN4"* ]]
    [[ "$output" == *"http://www.speech.cs.cmu.edu/databases/an4"* ]]
}

@test "another --config-dir does not come into the same report" {
    cp -r tiny other_tiny
    refused "expected probes of one --config-dir in exp" --encoder corpora/other \
        --name apart --config-dir other_tiny --tasks ks
    [ ! -e exp/apart ]
}

@test "another encoder does not take the place of one that was measured, though all is done" {
    refused "give this encoder another --name" \
        --encoder corpora/other --name tiny --config-dir tiny --tasks ks
}
