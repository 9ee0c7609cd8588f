# shellcheck shell=bash
# What copy_data_dir.sh, combine_data.sh, subset_data_dir.sh, split_data.sh and
# fix_data_dir.sh know together about a Kaldi-style data directory: the names of its
# files and what their first field is. To be sourced.

export LC_ALL=C
utils=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$(basename "$0")

# shellcheck disable=SC2034  # these three are read by the scripts that source this
{
    by_utterance=(utt2spk text feats.scp segments utt2lang utt2uniq vad.scp utt2dur
        utt2num_frames utt2num_samples utt2warp)
    by_speaker=(cmvn.scp spk2gender spk2warp)
    by_recording=(reco2dur reco2file_and_channel)
}

fail() {
    echo "$program: $1" >&2
    exit 1
}

need_data_dir() {
    [[ -d $1 ]] || fail "no such directory $1"
    [[ -f $1/utt2spk ]] || fail "no such file $1/utt2spk"
}

# wav.scp is by utterance, or with segments by recording.
place_wav() {
    if [[ -f $1/segments ]]; then
        by_recording+=(wav.scp)
    else
        by_utterance+=(wav.scp)
    fi
}

# clear_data_dir DIR: removes the files that this program is about to write.
clear_data_dir() {
    local file
    mkdir -p "$1"
    for file in "${by_utterance[@]}" "${by_speaker[@]}" "${by_recording[@]}" \
        spk2utt wav.scp; do
        rm -f "$1/$file"
    done
}

# keep_utterances FROM LIST TO: writes to TO the utterances of FROM whose id is the
# first field of a line of LIST, with their speakers and recordings.
keep_utterances() {
    local file
    clear_data_dir "$3"
    for file in "${by_utterance[@]}"; do
        [[ ! -f $1/$file ]] || "$utils/filter_scp.pl" "$2" "$1/$file" > "$3/$file"
    done
    [[ -s $3/utt2spk ]] || fail "no utterance of $1 is in $2"
    "$utils/utt2spk_to_spk2utt.pl" "$3/utt2spk" > "$3/spk2utt"
    for file in "${by_speaker[@]}"; do
        [[ ! -f $1/$file ]] \
            || "$utils/filter_scp.pl" "$3/spk2utt" "$1/$file" > "$3/$file"
    done
    awk '{print $1, $1}' "$3/utt2spk" > "$3/.recordings"
    [[ ! -f $3/segments ]] || awk '{print $2, $1}' "$3/segments" > "$3/.recordings"
    for file in "${by_recording[@]}"; do
        [[ ! -f $1/$file ]] \
            || "$utils/filter_scp.pl" "$3/.recordings" "$1/$file" > "$3/$file"
    done
    rm "$3/.recordings"
}

# validate_new DIR OPTIONS: checks what was written, asking for no file that may lack.
validate_new() {
    local -a options
    read -r -a options <<< "${2:-}"
    "$utils/validate_data_dir.sh" --no-feats --no-text --no-wav --no-spk-sort \
        "${options[@]}" "$1"
}
