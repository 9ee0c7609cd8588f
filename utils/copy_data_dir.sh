#!/bin/bash
# Copies a data directory; prefixes and suffixes rename utterances and speakers in
# every file. Recordings keep their names when there are segments. Audio is not copied.
set -euo pipefail

help_message="Usage: $0 [options] SRC-DIR DEST-DIR
e.g.:  $0 --spk-prefix sp0.9- --utt-prefix sp0.9- data/train data/train_0.9
Options:
  --spk-prefix, --utt-prefix P   put before every speaker or utterance
  --spk-suffix, --utt-suffix S   put behind every speaker or utterance
  --extra-files \"F ...\"          more files to copy as they are
  --validate-opts \"O ...\"        for validate_data_dir.sh, e.g. --non-print"
spk_prefix=
utt_prefix=
spk_suffix=
utt_suffix=
extra_files=
validate_opts=

. "$(dirname "$(readlink -f "$0")")/lib/data_dir.sh"
. "$utils/parse_options.sh"

if [[ $# -ne 2 ]]; then
    echo "$help_message" >&2
    exit 1
fi
src=${1%/}
dest=${2%/}
need_data_dir "$src"
[[ ! $src -ef $dest ]] || fail "source and destination are both $src"

# rename PREFIX SUFFIX FILE: renames the first field, and leaves the rest as it is.
rename() {
    [[ -f $src/$3 ]] || return 0
    awk -v p="$1" -v s="$2" '{
        match($0, /[^ \t]+/)
        print p substr($0, RSTART, RLENGTH) s substr($0, RSTART + RLENGTH)
    }' "$src/$3" | sort -s -k1,1 > "$dest/$3"
}

rename_speakers() {
    awk -v p="$spk_prefix" -v s="$spk_suffix" '{$2 = p $2 s; print}' \
        "$dest/utt2spk" > "$dest/.utt2spk"
    mv "$dest/.utt2spk" "$dest/utt2spk"
    "$utils/utt2spk_to_spk2utt.pl" "$dest/utt2spk" | sort -s -k1,1 > "$dest/spk2utt"
}

# What the renamed utterances were, for those who must know that they are copies.
remember_origin() {
    [[ -n $utt_prefix$utt_suffix && ! -f $src/utt2uniq ]] || return 0
    awk -v p="$utt_prefix" -v s="$utt_suffix" '{print p $1 s, $1}' "$src/utt2spk" \
        | sort -s -k1,1 > "$dest/utt2uniq"
}

place_wav "$src"
clear_data_dir "$dest"
for file in "${by_utterance[@]}"; do rename "$utt_prefix" "$utt_suffix" "$file"; done
for file in "${by_speaker[@]}"; do rename "$spk_prefix" "$spk_suffix" "$file"; done
reco_prefix=$utt_prefix
reco_suffix=$utt_suffix
if [[ -f $src/segments ]]; then
    reco_prefix=
    reco_suffix=
fi
for file in "${by_recording[@]}"; do rename "$reco_prefix" "$reco_suffix" "$file"; done
for file in frame_shift $extra_files; do
    [[ ! -f $src/$file ]] || cp "$src/$file" "$dest/$file"
done
rename_speakers
remember_origin
echo "$program: copied data from $src to $dest"
validate_new "$dest" "$validate_opts"
