# shellcheck shell=bash disable=SC2034  # sourced by local/data.sh, which uses it
# Where the corpus lies. Set the variable in the environment or change the default here.

# SLURP: a folder with {train,devel,test}.jsonl and, below it, the audio slurp_real/*.flac.
# What is not there is downloaded into it (4 GB, as much again meanwhile).
SLURP=${SLURP:-downloads}
