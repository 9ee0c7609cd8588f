# shellcheck shell=bash
# What the tests of the recipes share. To be sourced by bats.

# copy_recipe NAME: a copy of egs/NAME, without what it has made, in the variable
# RECIPE. It lies as deep as the recipe does, so that its links hold.
copy_recipe() {
    local egs entry
    egs=$(cd "$BATS_TEST_DIRNAME/../../egs" && pwd)
    RECIPE=$(mktemp -d "$egs/.test-XXXXXX")/asr1
    mkdir "$RECIPE"
    for entry in "$egs/$1"/*; do
        case ${entry##*/} in
            data | dump | downloads | exp* | figures | RESULTS.md) ;;
            *) cp -a "$entry" "$RECIPE" ;;
        esac
    done
    export RECIPE
}

remove_recipe() { rm -rf "${RECIPE%/*}"; }

load ../wait.bash
