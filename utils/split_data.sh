#!/bin/bash
# Splits DATA-DIR into DATA-DIR/splitN/1 ... N, whole speakers to a part, or with
# --per-utt into DATA-DIR/splitNutt/1 ... N by utterances. Parts that are newer than
# the data are left as they are.
set -euo pipefail

usage="Usage: $0 [--per-utt] DATA-DIR N
e.g.:  $0 data/test 8"

. "$(dirname "$(readlink -f "$0")")/lib/data_dir.sh"

by=speaker
if [[ ${1:-} == --per-utt ]]; then
    by=utterance
    shift
fi
if [[ $# -ne 2 || ! ${2:-} =~ ^[1-9][0-9]*$ ]]; then
    echo "$usage" >&2
    exit 1
fi
data=${1%/}
count=$2
need_data_dir "$data"

split=$data/split$count
options=(--utt2spk="$data/utt2spk")
if [[ $by == utterance ]]; then
    split+=utt
    options=()
fi

up_to_date() {
    local file part
    for ((part = 1; part <= count; part++)); do
        for file in "${by_utterance[@]}" "${by_speaker[@]}" "${by_recording[@]}"; do
            [[ ! -f $data/$file || $split/$part/$file -nt $data/$file ]] || return 1
        done
    done
}

place_wav "$data"
if up_to_date; then
    exit 0
fi
lists=()
for ((part = 1; part <= count; part++)); do
    mkdir -p "$split/$part"
    lists+=("$split/$part/.utterances")
done
"$utils/split_scp.pl" "${options[@]}" "$data/utt2spk" "${lists[@]}"
for ((part = 1; part <= count; part++)); do
    keep_utterances "$data" "$split/$part/.utterances" "$split/$part"
    rm "$split/$part/.utterances"
done
