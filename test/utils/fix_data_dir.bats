#!/usr/bin/env bats
# utils/fix_data_dir.sh: sorting, intersection, backup; the result always validates.

setup() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    mkdir -p d
    printf '%s\n' 'b-1 b' 'a-2 a' 'a-1 a' 'a-1 a' > d/utt2spk
    printf '%s\n' 'a-1 one' 'a-2  two  words' 'a-9 nine' 'b-1 three' > d/text
    printf '%s\n' 'a-1 1.wav' 'a-2 2.wav' 'b-1 3.wav' > d/wav.scp
}

@test "files are sorted, duplicates dropped and spk2utt made" {
    run fix_data_dir.sh d
    [ "$status" -eq 0 ]
    [[ "$output" == *"file d/utt2spk is not in sorted order or not unique, sorting"* ]]
    [ "$(cat d/utt2spk)" = $'a-1 a\na-2 a\nb-1 b' ]
    [ "$(cat d/spk2utt)" = $'a a-1 a-2\nb b-1' ]
    [ "$(sed -n 2p d/text)" = "a-2  two  words" ]
    validate_data_dir.sh --no-feats d
}

@test "the files as they were are in .backup and nothing else is left" {
    cp -r d before
    fix_data_dir.sh d
    for file in utt2spk text wav.scp; do cmp "before/$file" "d/.backup/$file"; done
    [ "$(find d -maxdepth 1 -mindepth 1 -printf '%f\n' | sort | xargs)" \
        = ".backup spk2utt text utt2spk wav.scp" ]
}

@test "only utterances that all files have remain" {
    sed -i 2d d/wav.scp
    printf '%s\n' 'a-1 1' 'a-2 2' 'b-1 3' > d/utt2dur
    printf '%s\n' 'a m' 'b f' 'c f' > d/spk2gender
    run fix_data_dir.sh d
    [[ "$output" == *"kept 2 utterances out of 4"* ]]
    for file in utt2spk text wav.scp utt2dur; do
        [ "$(awk '{print $1}' "d/$file" | xargs)" = "a-1 b-1" ]
    done
    [ "$(cat d/spk2gender)" = $'a m\nb f' ]
    validate_data_dir.sh --no-feats d
}

@test "speakers without gender are dropped, with their utterances" {
    echo 'a m' > d/spk2gender
    fix_data_dir.sh d
    [ "$(cat d/spk2utt)" = "a a-1 a-2" ]
    [ "$(wc -l < d/text)" -eq 2 ]
    validate_data_dir.sh --no-feats d
}

@test "with segments, unused recordings and lost segments are dropped" {
    printf '%s\n' 'r1 1.wav' 'r2 2.wav' > d/wav.scp
    printf '%s\n' 'a-1 r1 0 1' 'a-2 r3 0 1' 'b-1 r1 1 2' > d/segments
    fix_data_dir.sh d
    [ "$(cat d/utt2spk)" = $'a-1 a\nb-1 b' ]
    [ "$(cat d/wav.scp)" = "r1 1.wav" ]
    validate_data_dir.sh --no-feats d
}

@test "extra files are filtered too" {
    printf '%s\n' 'a-1 x' 'zz y' > d/utt2accent
    printf '%s\n' 'a x' 'zz y' > d/spk2age
    fix_data_dir.sh --utt-extra-files "utt2accent" --spk_extra_files "spk2age" d
    [ "$(cat d/utt2accent)" = "a-1 x" ]
    [ "$(cat d/spk2age)" = "a x" ]
}

@test "when nothing would remain, nothing is changed" {
    echo 'zz z.wav' > d/wav.scp
    cp -r d before
    run fix_data_dir.sh d
    [ "$status" -eq 1 ]
    [[ "$output" == *"no utterances remained"* ]]
    diff -r d before
}

@test "speaker prefixes out of order are refused" {
    printf '%s\n' 'a-1 b' 'a-2 a' 'b-1 b' > d/utt2spk
    run fix_data_dir.sh d
    [ "$status" -eq 1 ]
    [[ "$output" == *"making speaker-ids prefixes of utt-ids"* ]]
}

@test "a missing directory or utt2spk is refused" {
    run fix_data_dir.sh nowhere
    [ "$status" -eq 1 ]
    rm d/utt2spk
    run fix_data_dir.sh d
    [ "$status" -eq 1 ]
    [[ "$output" == *"no such file d/utt2spk"* ]]
}
