# shellcheck shell=bash
# What the bats tests of recipes and of clusters share: waiting for something.

# until_true SECONDS COMMAND...
until_true() {
    local tries=$(($1 * 10))
    shift
    while ! "$@"; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}
