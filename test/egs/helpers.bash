# shellcheck shell=bash
# What the tests of the recipes share. To be sourced by bats.

# copy_recipe NAME: a copy of egs/NAME, without what it has made, in the variable
# RECIPE. It lies as deep as the recipe does, so that its links hold.
copy_recipe() {
    RECIPE=$(mktemp -d "$BATS_TEST_DIRNAME/../../egs/.test-XXXXXX")/asr1
    RECIPE=$(realpath -m "$RECIPE")
    copy_files "$1" "$RECIPE"
    export RECIPE
}

# copy_files NAME FOLDER: the same into a folder that lies as deep
copy_files() {
    local entry
    mkdir "$2"
    for entry in "$BATS_TEST_DIRNAME/../../egs/$1"/*; do
        case ${entry##*/} in
            data | dump | downloads | exp* | figures | RESULTS.md) ;;
            *) cp -a "$entry" "$2" ;;
        esac
    done
}

remove_recipe() { rm -rf "${RECIPE%/*}"; }

load ../wait.bash
