#!/bin/bash
# Makes the files of a data directory agree: sorts them, drops duplicated ids, and
# keeps the utterances, speakers and recordings that every file has. The files as they
# were are kept in .backup; nothing is written when no utterance would remain.
set -euo pipefail

help_message="Usage: $0 [options] DATA-DIR
e.g.:  $0 data/train
Options:
  --utt-extra-files \"F ...\"  more files with one line per utterance
  --spk-extra-files \"F ...\"  more files with one line per speaker"
utt_extra_files=
spk_extra_files=

. "$(dirname "$(readlink -f "$0")")/lib/data_dir.sh"
. "$utils/parse_options.sh"

if [[ $# -ne 1 ]]; then
    echo "$help_message" >&2
    exit 1
fi
data=${1%/}

need_data_dir "$data"
[[ ! -f $data/segments || -f $data/wav.scp ]] \
    || fail "$data/segments exists but not $data/wav.scp"

# All work is done on copies here and moved in place at the end.
work=$(mktemp -d "$data/.fix.XXXXXX")
trap 'rm -rf "$work"' EXIT

read -r -a extra_utt_files <<< "$utt_extra_files"
read -r -a extra_spk_files <<< "$spk_extra_files"
place_wav "$data"
by_utterance+=("${extra_utt_files[@]}")
by_speaker+=("${extra_spk_files[@]}")
# These say which utterances there are; the other files follow.
deciding=(feats.scp text segments utt2lang)
[[ -f $data/segments ]] || deciding+=(wav.scp)

copy_sorted() {
    local file
    for file in "${by_utterance[@]}" "${by_speaker[@]}" "${by_recording[@]}"; do
        [[ -f $data/$file ]] || continue
        # blank lines hold no id; of equal ids the first line stays
        awk 'NF' "$data/$file" | sort -s -k1,1 -u > "$work/$file"
        cmp -s "$data/$file" "$work/$file" \
            || echo "$program: file $data/$file is not in sorted order or not unique," \
                "sorting it"
    done
}

# keep_listed LIST FILE [FIELD]: keep the lines of FILE whose field is an id of LIST.
keep_listed() {
    [[ -f $work/$2 ]] || return 0
    "$utils/filter_scp.pl" -f "${3:-1}" "$1" "$work/$2" > "$work/.kept"
    mv "$work/.kept" "$work/$2"
}

drop_lost_recordings() {
    [[ -f $work/segments ]] || return 0
    keep_listed "$work/wav.scp" segments 2
}

drop_lost_speakers() {
    local file
    for file in cmvn.scp spk2gender; do
        [[ ! -f $work/$file ]] || keep_listed "$work/$file" utt2spk 2
    done
}

# Every utterance that all deciding files have, in all files.
drop_lost_utterances() {
    local file
    for file in "${deciding[@]}"; do
        [[ ! -f $work/$file ]] || keep_listed "$work/$file" utt2spk
    done
    [[ -s $work/utt2spk ]] || fail "no utterances remained: not proceeding further. \
The files of $data have no id in common; compare their first columns."
    for file in "${by_utterance[@]}"; do
        keep_listed "$work/utt2spk" "$file"
    done
}

drop_unused() {
    local file
    "$utils/utt2spk_to_spk2utt.pl" "$work/utt2spk" > "$work/spk2utt"
    for file in "${by_speaker[@]}"; do
        keep_listed "$work/spk2utt" "$file"
    done
    [[ -f $work/segments ]] || cp "$work/utt2spk" "$work/.recordings"
    [[ ! -f $work/segments ]] || awk '{print $2}' "$work/segments" > "$work/.recordings"
    for file in "${by_recording[@]}"; do
        keep_listed "$work/.recordings" "$file"
    done
}

check_speaker_order() {
    awk '$2 < last {exit 1} {last = $2 ""}' "$work/utt2spk" \
        || fail "utt2spk is not in sorted order when sorted first on speaker-id \
(fix this by making speaker-ids prefixes of utt-ids)"
}

put_in_place() {
    local path file before after
    before=$(awk 'NF' "$data/utt2spk" | wc -l)
    after=$(wc -l < "$work/utt2spk")
    mkdir -p "$data/.backup"
    for path in "$work"/*; do
        file=$(basename "$path")
        [[ ! -f $data/$file ]] || cp "$data/$file" "$data/.backup/$file"
        cmp -s "$path" "$data/$file" || mv "$path" "$data/$file"
    done
    if [[ $before -eq $after ]]; then
        echo "$program: kept all $after utterances."
    else
        echo "$program: kept $after utterances out of $before"
    fi
    echo "$program: old files are kept in $data/.backup"
}

copy_sorted
drop_lost_recordings
drop_lost_speakers
drop_lost_utterances
drop_unused
check_speaker_order
put_in_place
