# shellcheck shell=bash
# Parse "--name value" options in a script that sources this file. It sets the
# variables that the script gave a default before sourcing, and leaves the
# positional arguments in place. It knows no option of its own but --help and
# --config FILE, and guesses nothing: an option without a default is refused.
#
#   help_message="Usage: $0 [--nj N] <data-dir>"
#   nj=4
#   . utils/parse_options.sh
#
# --foo-bar and --foo_bar both set foo_bar. A variable that is true or false stays
# true or false. Values are taken as they are, spaces, quotes and dollars included.
# --config FILE is sourced before the other options, so the command line wins.

# Options come in pairs; the pairs end at the first word without a leading "--".
_po_fail() {
    echo "$0: $1" >&2
    exit 1
}

_po_source_configs() {
    while [[ ${1:-} == --* ]]; do
        case $1 in
            --help) return 0 ;;
            --config)
                [[ -n ${2:-} ]] || _po_fail "option --config needs a file name"
                [[ -r $2 ]] || _po_fail "missing config '$2' (given by --config)"
                # shellcheck source=/dev/null
                . "$2"
                ;;
        esac
        shift $(($# > 1 ? 2 : 1))
    done
}

# Takes the variable, the option and the value as $1 $2 $3 and declares no local of
# its own: a local called "name" would hide the variable behind --name.
_po_set() {
    if [[ ${!1} == true || ${!1} == false ]]; then
        [[ $3 == true || $3 == false ]] \
            || _po_fail "expected \"true\" or \"false\": $2 $3"
    fi
    printf -v "$1" '%s' "$3"
}

_po_source_configs "$@"

while [[ ${1:-} == -* ]]; do
    case $1 in
        --help | -h)
            printf '%b\n' "${help_message:-No help found.}"
            exit 0
            ;;
        --config)
            # shellcheck disable=SC2034  # as in Kaldi, the caller may read it
            config=$2
            ;;
        --*=*)
            _po_fail "options to scripts must be of the form --name value, got '$1'"
            ;;
        --*)
            _po_name=${1#--}
            _po_name=${_po_name//-/_}
            [[ $_po_name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && -n ${!_po_name+set} ]] \
                || _po_fail "invalid option $1"
            [[ $# -ge 2 ]] || _po_fail "option $1 needs a value"
            _po_set "$_po_name" "$1" "$2"
            ;;
        *) break ;;
    esac
    shift 2
done

[[ -z ${cmd+set} || -n $cmd ]] || _po_fail "empty argument to --cmd option"
unset -v _po_name
unset -f _po_fail _po_source_configs _po_set
true
