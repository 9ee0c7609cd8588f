# shellcheck shell=bash disable=SC2034  # sourced by local/data.sh and run.sh, which use them
# Where the corpora lie: folders with manifest.tsv (path, duration, speaker, text, label,
# split) and the audio it names, mono at 16 kHz. Set the variables in the environment or
# change the defaults here. A task whose corpus is not set is refused by the data stage.

AN4=${AN4:-}
LIBRISPEECH=${LIBRISPEECH:-}
SPEECH_COMMANDS=${SPEECH_COMMANDS:-}
EMODB=${EMODB:-}
COFFEE=${COFFEE:-}

# corpora TASK: of which it is made
corpora() {
    case $1 in
        pr | asr) echo AN4 ;;
        ks | sv) echo SPEECH_COMMANDS ;;
        qbe) echo SPEECH_COMMANDS LIBRISPEECH ;;
        sid | sd) echo LIBRISPEECH ;;
        ic | sf) echo COFFEE ;;
        er) echo EMODB ;;
    esac
}
