# shellcheck shell=bash disable=SC2034  # sourced by local/data.sh, which uses it
# Where the corpus lies. Set the variable in the environment or change the default here.

# SLURP: SLURP's repository, that is dataset/slurp/{train,devel,test}.jsonl and
# audio/slurp_real/*.flac, or a folder with {train,devel,test}.jsonl and slurp_real/*.flac.
# What is not there is downloaded into it (4 GB, as much again meanwhile).
SLURP=${SLURP:-downloads}
