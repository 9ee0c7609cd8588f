#!/usr/bin/env bash
# Sets up the Python environment of the recipes and the tests: tools/venv, every version
# pinned by tools/constraints-py*.txt, pruneasr itself editable.
#
#   tools/setup_env.sh          about two minutes once, no time when it is up to date
#
# With PRUNEASR_PYTHON set, that interpreter is used as it is: it is checked, and
# nothing is installed. An interrupted set-up is started afresh by the next call. The
# caller's PATH stays as it is: tools/activate.sh changes it, when sourced.
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${root}/tools/venv
state=${venv}/.pruneasr_setup # "unfinished", or the fingerprint of what is installed
log=${venv}/setup.log

say() { echo "setup_env.sh: $*"; }

fail() {
  say "$*" >&2
  exit 1
}

# Prints the path of the first Python of a supported version that can make environments.
find_python() {
  local name
  for name in python3.11 python3.12 python3.13 python3 python; do
    if "${name}" -c 'import sys, ensurepip
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      "${name}" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  fail "no Python 3.11, 3.12 or 3.13 with the venv module was found on PATH. Install" \
    "one (Debian: python3.11-venv), or name the interpreter of a ready environment" \
    "by PRUNEASR_PYTHON."
}

# Prints the path of the constraints for the given Python.
constraints_of() {
  if [[ $("$1" -c 'import sys; print(sys.version_info[1])') == 11 ]]; then
    echo "${root}/tools/constraints-py311.txt"
  else
    echo "${root}/tools/constraints-py312.txt"
  fi
}

# Prints what decides whether the environment of the given Python is up to date.
fingerprint() {
  cat "$(constraints_of "$1")" "${root}/setup.py" | sha256sum | cut -d' ' -f1
}

pip_install() { "${venv}/bin/python" -m pip install --no-input "$@"; }

install_packages() {
  local constraints
  constraints=$(constraints_of "${venv}/bin/python")
  # ESPnet 202511 needs a pip below 26.3 and a setuptools below 74: pinned, so first.
  pip_install -c "${constraints}" pip setuptools wheel
  # torch alone by the resolver: what it needs depends on the machine.
  pip_install -c "${constraints}" torch torchaudio
  # editdistance has no wheel for Python 3.13, where it needs a C++ compiler and a
  # build environment of its own.
  pip_install --no-deps -c "${constraints}" editdistance
  pip_install --no-deps --no-build-isolation -r "${constraints}"
  pip_install --no-deps --no-build-isolation -e "${root}"
}

# ESPnet 202511 asks for pyworld, which only its speech synthesis uses and which must
# be compiled. A machine without a compiler can do all that pruneasr does.
install_pyworld() {
  if [[ $(constraints_of "${venv}/bin/python") != *py311.txt ]]; then return; fi
  if ! pip_install pyworld==0.3.5 >>"${log}" 2>&1; then
    say "pyworld did not compile; left out, ESPnet's speech synthesis will not work"
  fi
}

# Called by the trap on errors, where stderr may be the log: 3 is the caller's stderr.
show_failure() {
  tail -n 20 "${log}" >&3
  fail "failed; the end of ${log} stands above" 2>&3
}

build_venv() {
  local start=${SECONDS} python
  mkdir -p "${venv}"
  if [[ ! -x ${venv}/bin/python ]]; then
    python=$(find_python)
    say "making tools/venv with ${python}; log: ${log}"
    echo unfinished >"${state}"
    "${python}" -m venv "${venv}"
  else
    say "bringing tools/venv up to date; log: ${log}"
    echo unfinished >"${state}"
  fi
  : >"${log}"
  trap show_failure ERR
  install_packages >>"${log}" 2>&1
  install_pyworld
  "${venv}/bin/python" "${root}/tools/check_install.py" --import train test \
    >>"${log}" 2>&1
  trap - ERR
  fingerprint "${venv}/bin/python" >"${state}"
  say "done in $((SECONDS - start)) s"
}

set_up_venv() {
  if [[ -f ${state} && $(<"${state}") == unfinished ]]; then
    say "an earlier set-up did not finish: starting afresh"
    rm -rf "${venv}"
  fi
  if [[ ! -f ${state} ]] ||
    [[ $(<"${state}") != "$(fingerprint "${venv}/bin/python")" ]]; then
    build_venv
  fi
}

# The recipes call `python` and `python3`, so both must be the given interpreter.
check_given_python() {
  local folder identity name
  folder=$("${PRUNEASR_PYTHON}" -c \
    'import os, sys; print(os.path.dirname(sys.executable))') ||
    fail "PRUNEASR_PYTHON=${PRUNEASR_PYTHON} does not run; name a Python interpreter"
  identity=$(identity_of "${PRUNEASR_PYTHON}")
  for name in python python3; do
    [[ $(identity_of "${folder}/${name}") == "${identity}" ]] ||
      fail "expected ${folder}/${name} to be PRUNEASR_PYTHON=${PRUNEASR_PYTHON}, but" \
        "it is another interpreter or missing. Name the python of an environment" \
        "(python -m venv, conda)."
  done
  "${PRUNEASR_PYTHON}" "${root}/tools/check_install.py" train
}

identity_of() { "$1" -c 'import sys; print(sys.prefix, sys.version)' 2>/dev/null; }

# g2p_en, which ESPnet imports, asks the network for these two unless they exist, and
# can hang on a closed machine. pruneasr uses neither, so empty archives serve.
place_nltk_data() {
  local file
  export NLTK_DATA="${root}/tools/nltk_data"
  for file in taggers/averaged_perceptron_tagger_eng.zip corpora/cmudict.zip; do
    mkdir -p "${NLTK_DATA}/${file%/*}"
    printf 'PK\005\006\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' \
      >"${NLTK_DATA}/${file}"
  done
}

# One set-up at a time, also when two recipes start together.
exec 3>&2 9>"${root}/tools/.setup.lock"
flock 9
place_nltk_data
if [[ -n ${PRUNEASR_PYTHON:-} ]]; then
  check_given_python
else
  set_up_venv
fi
