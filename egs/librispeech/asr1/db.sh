# shellcheck shell=bash disable=SC2034  # sourced by local/data.sh, which uses it
# Where the corpus lies. Set the variable in the environment or change the default here.

# LIBRISPEECH: the folder that holds dev-clean, train-clean-100 and the other parts. Parts
# that are not there are downloaded into it (60 GB for all, as much again meanwhile).
LIBRISPEECH=${LIBRISPEECH:-downloads/LibriSpeech}
