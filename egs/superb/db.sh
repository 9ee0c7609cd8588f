# shellcheck shell=bash disable=SC2034  # sourced by local/data.sh, which uses them
# Where the corpora lie: folders with manifest.tsv (path, duration, speaker, text, label,
# split) and the audio it names, mono at 16 kHz. Set the variables in the environment or
# change the defaults here. A task whose corpus is not set is refused by the data stage.

AN4=${AN4:-}                         # asr, pr
LIBRISPEECH=${LIBRISPEECH:-}         # sid, sd, qbe
SPEECH_COMMANDS=${SPEECH_COMMANDS:-} # ks, sv, qbe
EMODB=${EMODB:-}                     # er
COFFEE=${COFFEE:-}                   # ic, sf
