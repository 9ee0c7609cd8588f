#!/usr/bin/env bash
# Starts a recipe for another corpus.
set -euo pipefail

usage="Usage: ${0##*/} FOLDER [asr|slu]      e.g. ../my_corpus/asr1 asr
Copies what a recipe's author edits and links what all share; what is there stays. To edit:
  local/data.sh  to write: makes data/{train,dev,test}/{wav.scp,text,utt2spk}
  run.sh         names of the sets, the teacher, token type, systems, slots of SLU: values of
                 the options that stand at the head of egs/TEMPLATE/recipe.sh
  conf/*.yaml    the teacher and the trainings, which are those of egs/mini
  conf/*.conf    what a batch system is asked for; conf/README.md explains
cmd.sh, path.sh and utils are links; local/path.sh, if there is one, comes after path.sh;
local/score.sh, if there is one, scores what else there is: DATA_DIRECTORY DECODE_DIRECTORY."
if [ "${1:-}" = --help ]; then
    echo "${usage}"
    exit
elif [ $# -lt 1 ] || [ $# -gt 2 ] || [[ ${2:-asr} != @(asr|slu) ]]; then
    echo "${usage}" >&2
    exit 1
fi
template=$(dirname "$(readlink -f "$0")")
task=${2:-asr}
if [ "$(realpath -m "$1/../../TEMPLATE")" != "${template}" ]; then
    echo "${0##*/}: expected a folder $(realpath "${template}/..")/CORPUS/NAME, found $1" >&2
    exit 1
fi
mkdir -p "$1/conf" "$1/local"
cd "$1"
root=$(realpath --relative-to=. "${template}/../..")
ln -sfn "${root}/utils" utils
ln -sfn "${root}/egs/TEMPLATE/path.sh" path.sh
ln -sfn "${root}/egs/TEMPLATE/cmd.sh" cmd.sh
copy() { # FILE FOLDER
    [ -e "$2/${1##*/}" ] || cp "$1" "$2"
}
for file in "${root}"/conf/{queue,slurm,pbs}.conf; do copy "${file}" conf; done
for file in "${root}/egs/mini/${task}1"/conf/*.yaml; do copy "${file}" conf; done
copy "${root}/egs/mini/${task}1/run.sh" .
echo "Write $1/local/data.sh, which makes data/{train,dev,test}; then edit run.sh and conf/" \
    "(${0##*/} --help)"
