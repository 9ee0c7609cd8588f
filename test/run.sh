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
total_passed=0
total_skipped=0
total_failed=0

# count WORD FILE: tests of that outcome (passed, failed, skipped) in the output of bats
# (a line each) or of pytest (its closing line).
count() {
  awk -v word="$1" '
    /^ok [0-9]+ .*# skip/ { found["skipped"]++; next }
    /^ok [0-9]+ / { found["passed"]++ }
    /^not ok [0-9]+ / { found["failed"]++ }
    /^=+ .* in [0-9.]+s.* =+$/ {
      for (i = 2; i < NF; i++) { sub(",", "", $(i + 1)); found[$(i + 1)] += $i }
    }
    END { print found[word] + 0 }' "$2"
}

# report NAME COMMAND..: runs the command, and notes its time and outcomes.
report() {
  local name=$1 start=${SECONDS} status=0 result=ok output
  shift
  output=$(mktemp)
  echo "== ${name}"
  "$@" 2>&1 | tee "${output}" || status=$?
  case ${status} in
    0) ;;
    *)
      result=FAILED
      failed=1
      ;;
  esac
  local passed skipped
  passed=$(count passed "${output}")
  skipped=$(count skipped "${output}")
  total_passed=$((total_passed + passed))
  total_skipped=$((total_skipped + skipped))
  total_failed=$((total_failed + $(count failed "${output}")))
  summary+=("$(printf '%-20s %5d s  %-6s %5d passed, %d skipped' "${name}" \
    "$((SECONDS - start))" "${result}" "${passed}" "${skipped}")")
  rm -f "${output}"
}

report_bats() {
  local name=$1 folder=$2
  if compgen -G "${folder}/*.bats" >/dev/null; then
    report "${name}" bats --timing --print-output-on-failure "${folder}"
  else
    echo "run.sh: expected tests in ${folder}, found none" >&2
    failed=1
  fi
}

report_pytest() { report "$1" python -m pytest -m "$2" test; }

run_phase() {
  case $1 in
    unit)
      report_bats unit/bats test/utils
      report_pytest unit/pytest "not integration"
      ;;
    integration)
      report_bats integration/bats test/egs
      report_pytest integration/pytest integration
      ;;
    cluster)
      report_bats cluster/bats test/cluster
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
printf '==== %d failed, %d passed, %d skipped in %d s ====\n' \
  "${total_failed}" "${total_passed}" "${total_skipped}" "${SECONDS}"
exit "${failed}"
