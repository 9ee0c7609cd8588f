#!/usr/bin/env bash
# Makes the data of one task: data/<task>/split<k>/{train,dev,test} and data/<task>/about.

set -euo pipefail

. ./path.sh
. ./db.sh
if [ $# -ne 1 ] || [ -z "$(corpora "$1")" ]; then
    echo "Usage: local/data.sh pr|asr|ks|qbe|sid|sv|sd|ic|sf|er   (from the recipe's folder)" >&2
    exit 1
fi

# home VARIABLE: where a corpus comes from
home() {
    case $1 in
        AN4)
            echo "http://www.speech.cs.cmu.edu/databases/an4, by" \
                "egs/an4/asr1/local/download_an4.py"
            ;;
        LIBRISPEECH) echo "https://www.openslr.org/31, train-clean-5" ;;
        SPEECH_COMMANDS)
            echo "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
            ;;
        EMODB) echo "http://emodb.bilderbar.info" ;;
        COFFEE)
            echo "https://github.com/Picovoice/speech-to-intent-benchmark, by" \
                "egs/coffee/slu1/local/download_coffee.py"
            ;;
    esac
}

for name in $(corpora "$1"); do
    if [ ! -f "${!name:-.}/manifest.tsv" ]; then
        echo "$0: expected a folder with manifest.tsv in ${name} (db.sh or the" \
            "environment), found '${!name}'. Home of the corpus: $(home "${name}")" >&2
        exit 1
    fi
done
case $1 in
    pr | asr)
        python ../an4/asr1/local/prepare_an4.py "${AN4}" data/an4
        python local/prepare_transcripts.py "$1" data/an4 "${AN4}/etc/an4.dic" "data/$1"
        ;;
    ks) python local/prepare_keywords.py "${SPEECH_COMMANDS}" data/ks ;;
    sv) python local/prepare_verification.py "${SPEECH_COMMANDS}" data/sv ;;
    qbe) python local/prepare_queries.py "${SPEECH_COMMANDS}" "${LIBRISPEECH}" data/qbe ;;
    sid) python local/prepare_speakers.py "${LIBRISPEECH}" data/sid ;;
    sd) python local/prepare_mixtures.py "${LIBRISPEECH}" data/sd ;;
    er) python local/prepare_emotion.py "${EMODB}" data/er ;;
    ic | sf)
        python ../coffee/slu1/local/prepare_coffee.py "${COFFEE}" data/coffee
        python local/prepare_orders.py "$1" data/coffee "data/$1"
        ;;
esac
for dir in data/"$1"/split*/*; do
    utils/validate_data_dir.sh --no-feats "${dir}"
done
