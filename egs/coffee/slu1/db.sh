# shellcheck shell=bash disable=SC2034  # sourced by local/data.sh, which uses them
# Where the corpora lie. Set the variables in the environment or change the defaults here.

# COFFEE: a folder with manifest.tsv (path, duration, speaker, text, label, split) and the
# audio it names. Where there is no manifest.tsv, the corpus is downloaded into it.
COFFEE=${COFFEE:-downloads}

# LIBRISPEECH: a folder with speech, transcribed or not, that is added to the audio from
# which the teacher learns. Empty: the coffee orders only.
LIBRISPEECH=${LIBRISPEECH:-}
