# shellcheck shell=bash
# Sourced by every recipe script and every job, from the recipe's folder.
# local/path.sh, if there is one, comes last and may change anything.

# this file is reached by a link; the tree is where it really lies
MAIN_ROOT=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../..
. "${MAIN_ROOT}/tools/activate.sh"
export PATH="${PWD}/utils:${PATH}"
export LC_ALL=C # the sorting order of all Kaldi files
export PYTHONIOENCODING=UTF-8
export PYTHONUNBUFFERED=1
# Jobs run side by side; a stage that runs alone asks for more (--num-threads)
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export NCCL_SOCKET_IFNAME="^lo,docker,virbr,vmnet,vboxnet"
# shellcheck source=/dev/null
if [ -e local/path.sh ]; then . local/path.sh; fi
