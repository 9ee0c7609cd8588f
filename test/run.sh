#!/usr/bin/env bash
# Runs the tests: pytest for the package, bats for the shell parts and the recipes.
#
#   test/run.sh [--unit] [--integration] [--cluster]        all three by default
#
#   --unit         functions and small scripts: under 3 minutes on 2 cores
#   --integration  whole programs and a whole recipe in a tiny setting: under 10 minutes
#   --cluster      the job scripts against real workload managers (test/cluster)
#
# Sets up the environment on first use, as the recipes do (PRUNEASR_PYTHON names another
# one). Every phase runs even if one before it failed; the end repeats what came out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bats_version=v1.11.1
bats_commit=b640ec3cf2c7c9cfc9e6351479261186f76eeec8
export BATS_TEST_TIMEOUT=1200 # seconds; only ends what hangs

usage() { sed -n '2,/^set -/{s/^# \{0,1\}//;/^set -/d;p}' "${BASH_SOURCE[0]}"; }

# Puts bats on PATH: the system's, else its pinned release, kept in tools/bats.
provide_bats() {
  if command -v bats >/dev/null; then return; fi
  local folder=tools/bats
  if [[ $(git -C "${folder}" rev-parse HEAD 2>/dev/null) != "${bats_commit}" ]] ||
    [[ ! -x ${folder}/bin/bats ]]; then
    rm -rf "${folder}"
    git -c advice.detachedHead=false clone --quiet --depth 1 \
      --branch "${bats_version}" https://github.com/bats-core/bats-core "${folder}" ||
      true
  fi
  if [[ $(git -C "${folder}" rev-parse HEAD 2>/dev/null) != "${bats_commit}" ]]; then
    echo "run.sh: bats is missing and its release ${bats_version} could not be" \
      "fetched. Install bats (Debian: apt-get install bats) and start again." >&2
    exit 1
  fi
  export PATH="${PWD}/${folder}/bin:${PATH}"
}

summary=()
failed=0

# report NAME COMMAND..: runs the command, and notes its time and its closing line.
report() {
  local name=$1 start=${SECONDS} status=0 result=ok output
  shift
  output=$(mktemp)
  echo "== ${name}"
  "$@" 2>&1 | tee "${output}" || status=$?
  case ${status} in
    0) ;;
    5) result="none" ;; # pytest found no test of the kind
    *)
      result=FAILED
      failed=1
      ;;
  esac
  summary+=("$(printf '%-20s %5d s  %-6s  %s' "${name}" "$((SECONDS - start))" \
    "${result}" "$(grep -E '^=+ .* =+$|^1\.\.[0-9]+$' "${output}" | tail -n 1)")")
  rm -f "${output}"
}

report_bats() {
  local name=$1 folder=$2
  if compgen -G "${folder}/*.bats" >/dev/null; then
    report "${name}" bats --timing --print-output-on-failure "${folder}"
  else
    summary+=("${name}: no tests in ${folder}")
  fi
}

report_pytest() { report "$1" python -m pytest -m "$2" test; }

run_phase() {
  case $1 in
    unit)
      report_bats unit/bats test/utils
      report_pytest unit/pytest "not integration and not cluster"
      ;;
    integration)
      report_bats integration/bats test/egs
      report_pytest integration/pytest integration
      ;;
    cluster)
      report_bats cluster/bats test/cluster
      report_pytest cluster/pytest cluster
      ;;
  esac
}

phases=()
for option in "$@"; do
  case ${option} in
    --unit | --integration | --cluster) phases+=("${option#--}") ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "run.sh: unknown option ${option}; known: --unit --integration --cluster" >&2
      exit 1
      ;;
  esac
done
if ((${#phases[@]} == 0)); then phases=(unit integration cluster); fi

tools/setup_env.sh
# shellcheck source=../tools/activate.sh
. tools/activate.sh
python tools/check_install.py test >/dev/null
provide_bats
for phase in "${phases[@]}"; do run_phase "${phase}"; done

printf '\n'
printf '%s\n' "${summary[@]}"
exit "${failed}"
