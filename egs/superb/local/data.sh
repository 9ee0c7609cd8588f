#!/usr/bin/env bash
# Makes the data of one task: data/<task>/split<k>/{train,dev,test} and data/<task>/about.

set -euo pipefail

if [ $# -ne 1 ]; then
    echo "Usage: local/data.sh pr|asr|ks|qbe|sid|sv|sd|ic|sf|er   (from the recipe's folder)" >&2
    exit 1
fi
. ./path.sh
. ./db.sh

# corpus VARIABLE HOME...: the folder that it names.
corpus() {
    local variable=$1 folder=${!1}
    shift
    if [ ! -f "${folder:-.}/manifest.tsv" ]; then
        echo "$0: expected a folder with manifest.tsv in ${variable} (db.sh or the" \
            "environment), found '${folder}'. Home of the corpus: $*" >&2
        exit 1
    fi
    echo "${folder}"
}

case $1 in
    pr | asr)
        an4=$(corpus AN4 "http://www.speech.cs.cmu.edu/databases/an4, by" \
            "egs/an4/asr1/local/download_an4.py")
        python ../an4/asr1/local/prepare_an4.py "${an4}" data/an4
        python local/prepare_transcripts.py "$1" data/an4 "${an4}/etc/an4.dic" "data/$1"
        ;;
    ks | sv | qbe)
        commands=$(corpus SPEECH_COMMANDS \
            "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz")
        ;;&
    sid | sd | qbe)
        librispeech=$(corpus LIBRISPEECH "https://www.openslr.org/31, train-clean-5")
        ;;&
    ks) python local/prepare_keywords.py "${commands}" data/ks ;;
    sv) python local/prepare_verification.py "${commands}" data/sv ;;
    qbe) python local/prepare_queries.py "${commands}" "${librispeech}" data/qbe ;;
    sid) python local/prepare_speakers.py "${librispeech}" data/sid ;;
    sd) python local/prepare_mixtures.py "${librispeech}" data/sd ;;
    er)
        emodb=$(corpus EMODB "http://emodb.bilderbar.info")
        python local/prepare_emotion.py "${emodb}" data/er
        ;;
    ic | sf)
        coffee=$(corpus COFFEE "https://github.com/Picovoice/speech-to-intent-benchmark," \
            "by egs/coffee/slu1/local/download_coffee.py")
        python ../coffee/slu1/local/prepare_coffee.py "${coffee}" data/coffee
        python local/prepare_orders.py "$1" data/coffee "data/$1"
        ;;
    *)
        echo "$0: unknown task $1" >&2
        exit 1
        ;;
esac
for dir in data/"$1"/split*/*; do
    utils/validate_data_dir.sh --no-feats "${dir}"
done
