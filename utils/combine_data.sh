#!/bin/bash
# Joins data directories into one. A file is joined when all of them have it; a file
# that only some have is left out, and said to be.
set -euo pipefail

help_message="Usage: $0 [options] DEST-DIR SRC-DIR1 SRC-DIR2 ...
e.g.:  $0 data/train data/train_clean data/train_other
Options:
  --extra-files \"F ...\"   more files to join
  --skip-fix true|false   do not run fix_data_dir.sh on the result"
extra_files=
skip_fix=false

. "$(dirname "$(readlink -f "$0")")/lib/data_dir.sh"
. "$utils/parse_options.sh"

if [[ $# -lt 2 ]]; then
    echo "$help_message" >&2
    exit 1
fi
dest=${1%/}
shift
sources=("$@")
for src in "${sources[@]}"; do
    need_data_dir "$src"
    [[ ! $src -ef $dest ]] || fail "$src is both a source and the destination"
done

# Segments are made for directories without, once one has them.
any_segments() {
    local src
    for src in "${sources[@]}"; do
        [[ ! -f $src/segments ]] || return 0
    done
    return 1
}

# How many of the sources have the file.
count_with() {
    local src count=0
    for src in "${sources[@]}"; do
        [[ ! -f $src/$1 ]] || count=$((count + 1))
    done
    echo "$count"
}

print_file() {
    local -r src=$1 file=$2
    if [[ -f $src/$file ]]; then
        cat "$src/$file"
    elif [[ $file == utt2uniq ]]; then
        awk '{print $1, $1}' "$src/utt2spk"
    elif [[ $file == segments ]]; then
        [[ -f $src/utt2dur ]] || fail "$src has no segments, as others have, and no\
 utt2dur to make them from"
        awk '{print $1, $1, 0, $2}' "$src/utt2dur"
    else
        return 1
    fi
}

join_file() {
    local -r file=$1
    local src count
    count=$(count_with "$file")
    [[ $count -gt 0 ]] || return 0
    if [[ $count -lt ${#sources[@]} && $file != utt2uniq && $file != segments ]]; then
        echo "$program: not combining $file as it does not exist in all sources" >&2
        return 0
    fi
    for src in "${sources[@]}"; do
        print_file "$src" "$file"
    done | sort -s -k1,1 > "$dest/$file"
    echo "$program: combined $file"
}

clear_data_dir "$dest"
read -r -a extra <<< "$extra_files"
if any_segments; then
    : > "$dest/segments"
fi
place_wav "$dest"
for file in "${by_utterance[@]}" "${by_speaker[@]}" "${by_recording[@]}" \
    "${extra[@]}"; do
    join_file "$file"
done
# the same speaker may be in several sources
for file in "${by_speaker[@]}"; do
    [[ ! -f $dest/$file ]] || sort -u -o "$dest/$file" "$dest/$file"
done
"$utils/utt2spk_to_spk2utt.pl" "$dest/utt2spk" | sort -s -k1,1 > "$dest/spk2utt"
if ! "$skip_fix"; then
    "$utils/fix_data_dir.sh" --utt-extra-files "$extra_files" "$dest"
fi
