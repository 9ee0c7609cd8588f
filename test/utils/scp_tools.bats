#!/usr/bin/env bats
# utils/filter_scp.pl, utils/utt2spk_to_spk2utt.pl, utils/spk2utt_to_utt2spk.pl.

setup() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    printf '%s\n' 'u1 x  one' 'u2 y two' 'u3 x' > in
    printf '%s\n' 'u3 whatever' 'u1' > list
}

@test "filter_scp.pl keeps the listed lines as they are, in their order" {
    [ "$(filter_scp.pl list in)" = $'u1 x  one\nu3 x' ]
    [ "$(filter_scp.pl list < in)" = $'u1 x  one\nu3 x' ]
}

@test "filter_scp.pl --exclude keeps the others" {
    [ "$(filter_scp.pl --exclude list in)" = "u2 y two" ]
}

@test "filter_scp.pl -f takes another field" {
    [ "$(filter_scp.pl -f 2 <(echo x) in)" = $'u1 x  one\nu3 x' ]
    [ "$(filter_scp.pl --exclude -f 2 <(echo x) in)" = "u2 y two" ]
}

@test "filter_scp.pl names the line that has too few fields" {
    run filter_scp.pl -f 3 list in
    [ "$status" -ne 0 ]
    [[ "$output" == *"in:3: expected 3 or more fields, got: u3 x"* ]]
}

@test "filter_scp.pl refuses missing files and bad options" {
    for words in "no-such in" "list no-such" "-f 0 list in" "--x list in" "" "a b c"; do
        # shellcheck disable=SC2086
        run filter_scp.pl $words
        [ "$status" -ne 0 ]
    done
}

@test "utt2spk and spk2utt turn into each other" {
    printf '%s\n' 'a-1 a' 'a-2 a' 'b-1 b' > utt2spk
    [ "$(utt2spk_to_spk2utt.pl utt2spk)" = $'a a-1 a-2\nb b-1' ]
    utt2spk_to_spk2utt.pl utt2spk | spk2utt_to_utt2spk.pl | cmp - utt2spk
}

@test "bad lines of utt2spk and spk2utt are named" {
    run utt2spk_to_spk2utt.pl <(printf 'a-1 a\na-2\n')
    [ "$status" -ne 0 ]
    [[ "$output" == *"line 2: expected 'utterance speaker', got: a-2"* ]]
    run utt2spk_to_spk2utt.pl <(printf 'a-1 a\na-1 b\n')
    [ "$status" -ne 0 ]
    [[ "$output" == *"line 2: utterance a-1 was there before"* ]]
    run spk2utt_to_utt2spk.pl <(printf 'a\n')
    [ "$status" -ne 0 ]
    [[ "$output" == *"line 1: expected 'speaker utterance ...', got: a"* ]]
}
