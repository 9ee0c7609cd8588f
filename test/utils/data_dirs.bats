#!/usr/bin/env bats
# utils/copy_data_dir.sh, combine_data.sh, subset_data_dir.sh and split_data.sh: each
# result must validate and hold the utterances that were asked for.

setup() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    make_data d a b c
}

# make_data DIR SPEAKER...: four utterances per speaker
make_data() {
    local dir=$1 speaker number
    shift
    mkdir "$dir"
    for speaker; do
        echo "$speaker m" >> "$dir/spk2gender"
        for number in 1 2 3 4; do
            echo "$speaker-$number $speaker" >> "$dir/utt2spk"
            echo "$speaker-$number word  number $number" >> "$dir/text"
            echo "$speaker-$number $speaker/$number.wav" >> "$dir/wav.scp"
            echo "$speaker-$number $((5 - number))" >> "$dir/utt2dur"
        done
    done
    utt2spk_to_spk2utt.pl "$dir/utt2spk" > "$dir/spk2utt"
}

# One recording per speaker, cut in four.
add_segments() {
    awk '{split($1, part, "-"); print $1, part[1], part[2], part[2] + 1}' \
        "$1/utt2spk" > "$1/segments"
    awk '{print $1, $1 ".wav"}' "$1/spk2utt" > "$1/wav.scp"
}

utterances() {
    validate_data_dir.sh --no-feats "$1" > out
    awk '{print $1}' "$1/utt2spk" | xargs
}

@test "copy_data_dir.sh copies every file" {
    run copy_data_dir.sh d e
    [ "$status" -eq 0 ]
    diff -r d e
}

@test "copy_data_dir.sh leaves no file of an older copy" {
    make_data e z
    echo 'z-1 x' > e/utt2lang
    copy_data_dir.sh d e
    diff -r d e
}

@test "copy_data_dir.sh renames utterances and speakers in every file" {
    copy_data_dir.sh --spk-prefix p- --utt-prefix p- d e
    [ "$(sed -n 1p e/text)" = "p-a-1 word  number 1" ]
    [ "$(sed -n 1p e/wav.scp)" = "p-a-1 a/1.wav" ]
    [ "$(sed -n 1p e/spk2utt)" = "p-a p-a-1 p-a-2 p-a-3 p-a-4" ]
    [ "$(sed -n 1p e/spk2gender)" = "p-a m" ]
    [ "$(sed -n 1p e/utt2uniq)" = "p-a-1 a-1" ]
    [ "$(utterances e | wc -w)" -eq 12 ]
}

@test "copy_data_dir.sh keeps the names of recordings with segments" {
    add_segments d
    copy_data_dir.sh --utt_suffix -x d e
    [ "$(sed -n 1p e/segments)" = "a-1-x a 1 2" ]
    cmp d/wav.scp e/wav.scp
    utterances e
}

@test "copy_data_dir.sh takes ESPnet's --validate_opts and extra files" {
    printf 'a-1 \x01\n' > d/text
    sed -n '2,$p' d/wav.scp | sed 's/ .*//' >> d/text
    echo x > d/feats_type
    run copy_data_dir.sh d e
    [ "$status" -eq 1 ]
    run copy_data_dir.sh --extra-files feats_type --validate_opts --non-print d e
    [ "$status" -eq 0 ]
    [ "$(cat e/feats_type)" = x ]
}

@test "combine_data.sh joins and sorts" {
    make_data e B z
    run combine_data.sh f d e
    [ "$status" -eq 0 ]
    cat d/utt2spk e/utt2spk | LC_ALL=C sort | cmp - f/utt2spk
    [ "$(utterances f | wc -w)" -eq 20 ]
    [ "$(wc -l < f/utt2dur)" -eq 20 ]
    [ "$(wc -l < f/spk2gender)" -eq 5 ]
}

@test "combine_data.sh leaves out what only some have, and says so" {
    make_data e z
    rm e/utt2dur
    printf '%s\n' 'z-1 a-1' 'z-2 a-2' 'z-3 a-3' 'z-4 a-4' > e/utt2uniq
    run combine_data.sh f d e
    [[ "$output" == *"not combining utt2dur as it does not exist in all sources"* ]]
    [ ! -e f/utt2dur ]
    grep -q '^b-1 b-1$' f/utt2uniq
    utterances f
}

@test "combine_data.sh makes segments for those without" {
    make_data e z
    add_segments e
    combine_data.sh f d e
    grep -q '^a-1 a-1 0 4$' f/segments
    grep -q '^z-2 z 2 3$' f/segments
    [ "$(wc -l < f/wav.scp)" -eq 13 ]
    utterances f
    rm -r f d/utt2dur
    run combine_data.sh f d e
    [ "$status" -eq 1 ]
    [[ "$output" == *"d has no segments, as others have, and no utt2dur"* ]]
}

@test "subset_data_dir.sh takes what it is asked for" {
    subset_data_dir.sh --first d 3 e
    [ "$(utterances e)" = "a-1 a-2 a-3" ]
    subset_data_dir.sh --last d 2 e
    [ "$(utterances e)" = "c-3 c-4" ]
    subset_data_dir.sh --shortest d 3 e
    [ "$(utterances e)" = "a-4 b-4 c-4" ]
    subset_data_dir.sh --per-spk d 2 e
    [ "$(utterances e)" = "a-1 a-3 b-1 b-3 c-1 c-3" ]
    subset_data_dir.sh d 3 e
    [ "$(utterances e)" = "a-1 b-1 c-1" ]
    subset_data_dir.sh --speakers d 5 e
    [ "$(wc -l < e/utt2spk)" -eq 8 ]
    [ "$(wc -l < e/spk2gender)" -eq 2 ]
}

@test "subset_data_dir.sh takes lists of utterances or speakers" {
    echo 'b-2 anything' > list
    subset_data_dir.sh --utt-list list d e
    [ "$(utterances e)" = "b-2" ]
    echo c > list
    subset_data_dir.sh --spk-list list d e
    [ "$(utterances e)" = "c-1 c-2 c-3 c-4" ]
    echo nobody > list
    run subset_data_dir.sh --spk-list list d e
    [ "$status" -eq 1 ]
}

@test "subset_data_dir.sh keeps only the recordings that are used" {
    add_segments d
    subset_data_dir.sh --first d 5 e
    [ "$(awk '{print $1}' e/wav.scp | xargs)" = "a b" ]
    utterances e
}

@test "subset_data_dir.sh refuses what cannot be" {
    for words in "d 13 e" "d 0 e" "d x e" "d e" "d 3 d" "nowhere 3 e" \
        "--no-such d 3 e" "--utt-list nowhere d e"; do
        # shellcheck disable=SC2086
        run subset_data_dir.sh $words
        [ "$status" -eq 1 ]
        [ -n "$output" ]
    done
}

@test "split_data.sh splits by speaker or by utterance" {
    split_data.sh d 3
    [ "$(utterances d/split3/2)" = "b-1 b-2 b-3 b-4" ]
    split_data.sh --per-utt d 4
    [ "$(utterances d/split4utt/2)" = "a-4 b-1 b-2" ]
    run split_data.sh d 4
    [ "$status" -ne 0 ]
    [[ "$output" == *"number of speakers 3 is less than the number of parts 4"* ]]
}

@test "split_data.sh does nothing until the data change" {
    split_data.sh d 2
    stamp=$(stat -c %y d/split2/1/text)
    split_data.sh d 2
    [ "$(stat -c %y d/split2/1/text)" = "$stamp" ]
    touch d/text
    split_data.sh d 2
    [ "$(stat -c %y d/split2/1/text)" != "$stamp" ]
}
