#!/bin/bash
# Writes a part of a data directory: so many utterances, or those that a list names.
# The same call always takes the same utterances.
set -euo pipefail

usage="Usage: $0 [--first|--last|--shortest|--speakers|--per-spk] SRC-DIR N DEST-DIR
   or: $0 --utt-list FILE | --spk-list FILE SRC-DIR DEST-DIR
e.g.:  $0 --first data/train 1000 data/train_1k
  (no option)   N utterances at even distances
  --first, --last, --shortest   the first, last or shortest N (by utt2dur)
  --speakers    whole speakers, at even distances, until there are N utterances
  --per-spk     N utterances of each speaker, at even distances"

. "$(dirname "$(readlink -f "$0")")/lib/data_dir.sh"

how=--spread
list=
case ${1:-} in
    --first | --last | --shortest | --speakers | --per-spk)
        how=$1
        shift
        ;;
    --utt-list | --spk-list)
        how=$1
        list=${2:-}
        shift $(($# > 1 ? 2 : 1))
        [[ -f $list ]] || fail "no such list $list"
        ;;
    --help | -h)
        echo "$usage"
        exit 0
        ;;
esac
if [[ $# -ne $([[ -n $list ]] && echo 2 || echo 3) || ${1:-} == -* ]]; then
    echo "$usage" >&2
    exit 1
fi
src=${1%/}
dest=${*: -1}
dest=${dest%/}
count=
[[ -n $list ]] || count=$2
need_data_dir "$src"
[[ ! $src -ef $dest ]] || fail "source and destination are both $src"

total=$(wc -l < "$src/utt2spk")
if [[ -z $list ]]; then
    [[ $count =~ ^[1-9][0-9]*$ ]] || fail "expected a number above 0, got '$count'"
    [[ $how == --per-spk || $count -le $total ]] \
        || fail "$count utterances are asked for, $src has $total"
fi

# spread N: N of the lines on stdin, at even distances.
spread() {
    awk -v n="$1" '{line[NR] = $0}
        END {for (i = 0; i < n; i++) print line[int(i * NR / n) + 1]}'
}

shortest() {
    [[ -f $src/utt2dur ]] || fail "--shortest needs $src/utt2dur"
    sort -s -k2,2g "$src/utt2dur" | awk -v n="$count" 'NR <= n'
}

whole_speakers() {
    local speakers
    speakers=$(awk '!seen[$2]++' "$src/utt2spk" | wc -l)
    # every speaker once, in strides, so that few of them are spread over all
    awk -v n="$count" -v s="$speakers" '
        !($2 in utts) {order[k++] = $2}
        {utts[$2] = utts[$2] $1 "\n"; size[$2]++}
        END {
            step = n < NR ? int(NR / n) : 1
            for (first = 0; first < step && got < n; first++)
                for (i = first; i < s && got < n; i += step) {
                    printf "%s", utts[order[i]]
                    got += size[order[i]]
                }
        }' "$src/utt2spk"
}

per_speaker() {
    awk -v n="$count" '
        !($2 in size) {order[k++] = $2}
        {utt[$2, size[$2]++] = $1}
        END {
            for (j = 0; j < k; j++) {
                s = order[j]; m = size[s]; w = n < m ? n : m
                for (i = 0; i < w; i++) print utt[s, int(i * m / w)]
            }
        }' "$src/utt2spk"
}

choose() {
    case $how in
        --spread) spread "$count" < "$src/utt2spk" ;;
        --first) awk -v n="$count" 'NR <= n' "$src/utt2spk" ;;
        --last) tail -n "$count" "$src/utt2spk" ;;
        --shortest) shortest ;;
        --speakers) whole_speakers ;;
        --per-spk) per_speaker ;;
        --utt-list) cat "$list" ;;
        --spk-list) "$utils/filter_scp.pl" -f 2 "$list" "$src/utt2spk" ;;
    esac
}

chosen=$(mktemp)
trap 'rm -f "$chosen"' EXIT
choose > "$chosen"
place_wav "$src"
keep_utterances "$src" "$chosen" "$dest"
kept=$(wc -l < "$dest/utt2spk")
echo "$program: $kept of $total utterances of $src are in $dest"
