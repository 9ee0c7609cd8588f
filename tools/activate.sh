# shellcheck shell=bash
# Puts the environment of tools/setup_env.sh first on PATH, and this tree on PYTHONPATH.
# To be sourced, as path.sh does in every recipe and every job; installs nothing.
#
#   . tools/activate.sh

pruneasr_activate() {
  local root interpreter folder
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  interpreter=${PRUNEASR_PYTHON:-${root}/tools/venv/bin/python}
  if ! folder=$("${interpreter}" -c \
    'import os, sys; print(os.path.dirname(sys.executable))'); then
    echo "activate.sh: ${interpreter} does not run: call tools/setup_env.sh first" >&2
    return 1
  fi
  case "${PATH}" in
    "${folder}":*) ;;
    *) export PATH="${folder}:${PATH}" ;;
  esac
  case ":${PYTHONPATH:-}:" in
    *":${root}:"*) ;;
    *) export PYTHONPATH="${root}${PYTHONPATH:+:${PYTHONPATH}}" ;;
  esac
  # Last, so that data of the user's own is found before setup_env.sh's empty archives.
  case ":${NLTK_DATA:-}:" in
    *":${root}/tools/nltk_data:"*) ;;
    *) export NLTK_DATA="${NLTK_DATA:+${NLTK_DATA}:}${root}/tools/nltk_data" ;;
  esac
}

pruneasr_activate
