#!/usr/bin/env bash
# Mini: sentences spoken by espeak-ng (synthetic speech), a tiny WavLM. Everything from
# nothing to a table of results in 20 minutes on two CPU cores; no download, no GPU.
set -euo pipefail
cd "$(dirname "$0")"

exec ../../TEMPLATE/recipe.sh \
    --recipe-title "Mini (synthetic speech): ASR on a pruned encoder" \
    --recipe-command "egs/mini/asr1/run.sh ${*@Q}" \
    --pretrain-configs conf/pretrain1.yaml \
    --systems "teacher pruned" \
    --token-type char \
    "$@"
