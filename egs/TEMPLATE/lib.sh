# shellcheck shell=bash
# What the scripts share: in lib/ there is a file for each idea.

here=$(dirname "${BASH_SOURCE[0]}")
. "${here}/lib/steps.sh"
. "${here}/lib/stages.sh"
. "${here}/lib/processes.sh"
. "${here}/lib/resources.sh"
. "${here}/lib/trainings.sh"
