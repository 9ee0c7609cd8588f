#!/usr/bin/env bats
# utils/validate_data_dir.sh: what it accepts, and that each message says the file, the
# line, what was expected and what to do.

setup() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    mkdir -p d
    printf '%s\n' 'a-1 a' 'a-2 a' 'b-1 b' > d/utt2spk
    printf '%s\n' 'a a-1 a-2' 'b b-1' > d/spk2utt
    printf '%s\n' 'a-1 one two' 'a-2 three' 'b-1' > d/text
    printf '%s\n' 'a-1 x.wav' 'a-2 sox y.wav -t wav - |' 'b-1 z.flac:12' > d/wav.scp
}

valid() {
    run validate_data_dir.sh --no-feats "$@" d
    [ "$output" = "validate_data_dir.sh: Successfully validated data-directory d" ]
    [ "$status" -eq 0 ]
}

# $1: a pattern that the output must hold
invalid() {
    run validate_data_dir.sh --no-feats d
    echo "$output"
    [ "$status" -eq 1 ]
    # shellcheck disable=SC2053
    [[ "$output" == $1 ]]
}

@test "a good directory passes, with a slash at its end too" {
    valid
    run validate_data_dir.sh --no-feats d/
    [ "$status" -eq 0 ]
}

@test "the optional files are checked when present" {
    printf '%s\n' 'a m' 'b f' > d/spk2gender
    printf '%s\n' 'a-1 1.5' 'a-2 2' 'b-1 0.5' > d/utt2dur
    printf '%s\n' 'a-1 16000' 'a-2 2' 'b-1 3' > d/utt2num_samples
    valid
    echo 'b x' >> d/spk2gender
    sed -i 's/ 2$/ 0/' d/utt2dur
    sed -i 's/16000/1.5/' d/utt2num_samples
    invalid '*d/utt2num_samples:1: expected a whole number above 0 after a-1, found*'
    [[ "$output" == *"d/utt2dur:2: expected a number above 0 after a-2, found '0'"* ]]
    [[ "$output" == *"d/spk2gender:3: expected m or f after b, found 'x'"* ]]
}

@test "missing files are named, and the options that allow them work" {
    rm d/wav.scp d/text
    run validate_data_dir.sh d
    [ "$status" -eq 1 ]
    for option in text wav feats; do
        [[ "$output" == *"if this is by design, specify --no-$option"* ]]
    done
    valid --no-text --no-wav
    rm d/spk2utt
    invalid '*d/spk2utt: expected this file, found none; make it with *'
}

@test "an empty wav.scp is named" {
    : > d/wav.scp
    invalid '*d/wav.scp: expected one line or more, found an empty file;*'
}

@test "duplicated ids are named with both lines" {
    printf '%s\n' 'a-1 one' 'a-2 two' 'a-2 three' 'b-1 four' > d/text
    invalid '*d/text:3: expected every id once, found a-2 here and on line 2; *fix*'
}

@test "unsorted files are named with the first line out of order" {
    printf '%s\n' 'b-1 one' 'a-1 two' 'a-2 three' > d/text
    invalid '*d/text:2: expected ids sorted as by LC_ALL=C sort, found a-1 after b-1; *'
}

@test "the order is that of bytes" {
    printf '%s\n' 'B-1 B' 'a-1 a' > d/utt2spk
    printf '%s\n' 'B B-1' 'a a-1' > d/spk2utt
    printf '%s\n' 'B-1 x' 'a-1 y' > d/text
    printf '%s\n' 'B-1 x' 'a-1 y' > d/wav.scp
    LC_ALL=C.UTF-8 valid
}

@test "utt2spk must be sorted by speaker unless --no-spk-sort" {
    printf '%s\n' 'a-1 b' 'a-2 b' 'b-1 a' > d/utt2spk
    printf '%s\n' 'a b-1' 'b a-1 a-2' > d/spk2utt
    invalid '*d/utt2spk:3: expected the order*found a after b; make the speaker the*'
    valid --no-spk-sort
}

@test "utt2spk and spk2utt must agree" {
    printf '%s\n' 'a a-1' 'b a-2 b-1' > d/spk2utt
    invalid '*d/utt2spk:2: expected b for a-2 as in spk2utt, found a;*'
    printf '%s\n' 'a a-1 a-2' 'b b-1 b-2' > d/spk2utt
    invalid '*d/spk2utt: found b-2, which is not in utt2spk;*'
}

@test "missing and additional utterances are counted and the first is named" {
    printf '%s\n' 'a-1 one' 'b-1 two' 'c-1 three' > d/text
    invalid '*d/text: expected the ids of utt2spk; 1 of 3 are missing, the first is a*'
    [[ "$output" == *"d/text:3: expected the ids of utt2spk; 1 of 3 are not there"* ]]
}

@test "odd white space in text is named by code and place" {
    printf 'a-1 one\xc2\xa0two\na-2 x\nb-1\n' > d/text
    invalid '*d/text:1: *white space U+00A0 at character 8; *'
    printf 'a-1 one\na-2 x\xe3\x80\x80y\nb-1\n' > d/text
    invalid '*d/text:2: *U+3000*'
    printf 'a-1 one\r\na-2 x\r\nb-1\r\n' > d/text
    invalid '*d/text:1: found a carriage return (0x0D)*sed -i*'
    [ "$(grep -c 'carriage' <<< "$output")" -eq 1 ]
}

@test "text must be UTF-8, printable, without reserved symbols" {
    printf 'a-1 caf\xe9\na-2 x\nb-1\n' > d/text
    invalid '*d/text:1: expected UTF-8, found other bytes; convert with: iconv*'
    printf 'a-1 one\na-2 x\x01y\nb-1\n' > d/text
    invalid '*d/text:2: *found U+0001 at character 6; remove it, or * --non-print*'
    valid --non-print
    printf 'a-1 one <s>\na-2 x\nb-1\n' > d/text
    invalid '*d/text:1: found the reserved symbol <s>*'
    printf 'a-1 one\na-2 caf\xc3\xa9 x<s>\nb-1\n' > d/text
    valid
}

@test "a line without a value, a tilde, an empty line and a cut file are named" {
    printf '%s\n' 'a-1 x.wav' 'a-2' 'b-1 z.wav' > d/wav.scp
    invalid "*d/wav.scp:2: expected a file name or 'command |' after a-2, found ''*"
    printf '%s\n' 'a-1 x.wav' 'a-2 y.wav' 'b-1 ~/z.wav' > d/wav.scp
    invalid '*d/wav.scp:3: *found a tilde (~): ~/z.wav; write the whole path'
    printf 'a-1 x\n\nb-1 y\n' > d/wav.scp
    invalid '*d/wav.scp:2: expected an id and *, found an empty line; delete the line*'
    printf 'a-1 x\na-2 z\nb-1 y' > d/wav.scp
    invalid '*d/wav.scp:3: expected a newline at the end*'
}

@test "with segments, wav.scp is by recording" {
    printf '%s\n' 'r1 r1.wav' 'r2 r2.wav' > d/wav.scp
    printf '%s\n' 'a-1 r1 0 1.5' 'a-2 r1 1.5 2' 'b-1 r2 0 1' > d/segments
    valid
    printf '%s\n' 'r1 10.5' 'r2 3' > d/reco2dur
    valid
    printf '%s\n' 'a-1 r1 0 1.5' 'a-2 r1 1.5 1.2' 'b-1 r3 0 1' > d/segments
    invalid '*d/segments:2: expected an end above the start, * found 1.5 1.2;*'
    [[ "$output" == *"d/wav.scp: expected the ids of segments; 1 of 2 are missing"* ]]
}

@test "many problems are cut short" {
    seq -f 'a-%03g' 30 > d/wav.scp
    invalid '*more problems'
    [ "${#lines[@]}" -eq 11 ]
}

@test "one speaker is a warning" {
    sed -i 's/ b$/ a/' d/utt2spk
    echo 'a a-1 a-2 b-1' > d/spk2utt
    run validate_data_dir.sh --no-feats d
    [ "$status" -eq 0 ]
    [[ "$output" == *"WARNING: d/utt2spk has only one speaker"* ]]
}

@test "a missing directory and unknown options are refused" {
    run validate_data_dir.sh nowhere
    [ "$status" -eq 1 ]
    [[ "$output" == *"nowhere: expected a directory"* ]]
    run validate_data_dir.sh --no-such d
    [ "$status" -eq 1 ]
    [[ "$output" == "Usage: "* ]]
}
