#!/usr/bin/env bats
# utils/split_scp.pl: sizes, order, speakers, refusals.
# shellcheck disable=SC2016  # a dollar in a message

setup() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    # speakers a, b, c, d have 3, 1, 1, 2 utterances
    for utterance in a-1 a-2 a-3 b-1 c-1 d-1 d-2; do
        echo "$utterance $utterance.wav" >> wav.scp
        echo "$utterance ${utterance%-*}" >> utt2spk
    done
}

# The number of lines of each file.
sizes() {
    local file
    for file; do wc -l < "$file"; done | xargs
}

@test "parts are consecutive and the first ones take the remainder" {
    split_scp.pl wav.scp x.1 x.2 x.3
    [ "$(sizes x.1 x.2 x.3)" = "3 2 2" ]
    cat x.1 x.2 x.3 | cmp - wav.scp
}

@test "-j gives one part, counted from 0 or with --one-based from 1" {
    split_scp.pl wav.scp x.1 x.2 x.3
    split_scp.pl -j 3 1 wav.scp | cmp - x.2
    split_scp.pl -j 3 3 --one-based wav.scp y
    cmp y x.3
}

@test "--utt2spk keeps speakers together, in order and near even" {
    split_scp.pl --utt2spk=utt2spk wav.scp x.1 x.2
    [ "$(sizes x.1 x.2)" = "3 4" ]
    cat x.1 x.2 | cmp - wav.scp
    split_scp.pl --utt2spk=utt2spk wav.scp x.1 x.2 x.3 x.4
    [ "$(sizes x.1 x.2 x.3 x.4)" = "3 1 1 2" ]
    split_scp.pl -j 4 2 --utt2spk=utt2spk wav.scp | cmp - x.3
}

@test "too many parts are refused and nothing is written" {
    run split_scp.pl wav.scp x.{1..8}
    [ "$status" -ne 0 ]
    [[ "$output" == *'You are splitting into too many pieces! [reduce $nj]'* ]]
    [ ! -e x.1 ]
    run split_scp.pl --utt2spk=utt2spk wav.scp x.{1..5}
    [ "$status" -ne 0 ]
    [[ "$output" == *"number of speakers 4 is less than the number of parts 5"* ]]
    [ ! -e x.1 ]
}

@test "an empty input, a bad job id, an unknown speaker and no output are refused" {
    : > empty
    echo "e-1 e.wav" > stranger
    run split_scp.pl empty x.1
    [ "$status" -ne 0 ]
    [[ "$output" == *"empty input file empty"* ]]
    for words in "-j 3 3 wav.scp" "-j 3 0 --one-based wav.scp" "-j 3 x wav.scp" \
        "--utt2spk=utt2spk stranger x.1" "wav.scp" "--no-such wav.scp x.1" \
        "missing x.1" "wav.scp no/such/x.1"; do
        # shellcheck disable=SC2086
        run split_scp.pl $words
        [ "$status" -ne 0 ]
        [ -n "$output" ]
    done
}

@test "a part that cannot be written is an error" {
    run split_scp.pl wav.scp x.1 /dev/full
    [ "$status" -ne 0 ]
    [[ "$output" == *"cannot write /dev/full: No space left on device"* ]]
}
