#!/usr/bin/env bash
# Starts a recipe: ./setup.sh ../my_corpus/asr1 [asr|slu]
# Copies what its author edits, links what is shared.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    sed -n '2,3s/^# //p' "$0" >&2
    exit 1
fi
template=$(dirname "$(readlink -f "$0")")
task=${2:-asr}
mkdir -p "$1/conf" "$1/local"
cd "$1"
root=$(realpath --relative-to=. "${template}/../..")
ln -sfn "${root}/utils" utils
ln -sfn "${root}/egs/TEMPLATE/path.sh" path.sh
ln -sfn "${root}/egs/TEMPLATE/cmd.sh" cmd.sh
cp -n "${root}"/conf/{queue,slurm,pbs}.conf conf/
cp -n "${root}/egs/mini/${task}1/run.sh" .
cp -n "${root}/egs/mini/${task}1"/conf/*.yaml conf/
echo "Write $1/local/data.sh, which makes data/{train,dev,test}; then edit run.sh and conf/"
