#!/usr/bin/env bats
# utils/parse_options.sh: which options are taken, which are refused, and how.
# shellcheck disable=SC2016  # dollars that must stay dollars

setup() {
    utils=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd)
    script=$BATS_TEST_TMPDIR/script.sh
    cat > "$script" << END
#!/bin/bash
set -euo pipefail
help_message="Usage: script.sh [--nj N]\nsecond line"
foo_bar=old
stop_stage=12
name=none
nj=4
flag=false
args=
cmd=run.pl
. "$utils/parse_options.sh"
printf '%s|' "\$foo_bar" "\$stop_stage" "\$name" "\$nj" "\$flag" "\$args" "\$cmd"
printf 'rest=%s' "\$*"
END
}

@test "defaults stay when nothing is given" {
    run bash "$script"
    [ "$status" -eq 0 ]
    [ "$output" = "old|12|none|4|false||run.pl|rest=" ]
}

@test "dashes and underscores name the same variable" {
    run bash "$script" --foo-bar a --stop-stage 5
    [ "$output" = "a|5|none|4|false||run.pl|rest=" ]
    run bash "$script" --foo_bar b --stop_stage 6
    [ "$output" = "b|6|none|4|false||run.pl|rest=" ]
}

@test "an option called --name is not hidden by the parser" {
    run bash "$script" --name job
    [ "$output" = "old|12|job|4|false||run.pl|rest=" ]
}

@test "values keep spaces, quotes, dollars and leading dashes" {
    run bash "$script" --args '--lr 1 "x y" $HOME `id`' --nj -1
    [ "$output" = 'old|12|none|-1|false|--lr 1 "x y" $HOME `id`|run.pl|rest=' ]
}

@test "parsing stops at the first word that is no option" {
    run bash "$script" --nj 2 data/train --nj 3
    [ "$output" = "old|12|none|2|false||run.pl|rest=data/train --nj 3" ]
}

@test "an unknown option is refused by name" {
    run bash "$script" --no-such 1
    [ "$status" -eq 1 ]
    [[ "$output" == *"script.sh: invalid option --no-such" ]]
}

@test "--name=value is refused" {
    run bash "$script" --nj=3
    [ "$status" -eq 1 ]
    [[ "$output" == *"must be of the form --name value, got '--nj=3'" ]]
}

@test "an option at the end without a value is refused" {
    run timeout 5 bash "$script" --nj
    [ "$status" -eq 1 ]
    [[ "$output" == *"option --nj needs a value" ]]
}

@test "a boolean stays a boolean" {
    run bash "$script" --flag true
    [[ "$output" == *"|true|"* ]]
    run bash "$script" --flag yes
    [ "$status" -eq 1 ]
    [[ "$output" == *'expected "true" or "false": --flag yes' ]]
}

@test "--config is read first, so that the command line wins" {
    echo 'nj=7; foo_bar="from file"' > "$BATS_TEST_TMPDIR/c"
    run bash "$script" --nj 8 --config "$BATS_TEST_TMPDIR/c"
    [ "$output" = "from file|12|none|8|false||run.pl|rest=" ]
}

@test "a missing config is an error that names it" {
    run bash "$script" --config no/such
    [ "$status" -eq 1 ]
    [[ "$output" == *"missing config 'no/such'"* ]]
}

@test "--help prints the message and exits with 0" {
    for option in --help -h; do
        run bash "$script" --nj 1 "$option"
        [ "$status" -eq 0 ]
        [ "${lines[0]}" = "Usage: script.sh [--nj N]" ]
        [ "${lines[1]}" = "second line" ]
    done
}

@test "an empty --cmd is refused" {
    run bash "$script" --cmd ""
    [ "$status" -eq 1 ]
    [[ "$output" == *"empty argument to --cmd option" ]]
}

@test "nothing of the parser is left behind" {
    run bash -c ". '$utils/parse_options.sh'; compgen -v _po_; compgen -A function _po_"
    [ "$output" = "" ]
}
