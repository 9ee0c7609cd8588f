#!/bin/bash
# Checks a Kaldi-style data directory; lib/validate_data_dir.pl says what it checks.
set -euo pipefail

lib=$(dirname "$(readlink -f "$0")")/lib
exec "$lib/validate_data_dir.pl" "$@"
