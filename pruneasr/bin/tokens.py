"""Make the token list of a corpus, in ESPnet's form.

Writes tokens.txt (<blank>, <unk>, the tokens, <sos/eos>), token_type and, for bpe,
bpe.model.
"""

import argparse
from pathlib import Path

from pruneasr.data.text import TOKEN_TYPES
from pruneasr.data.tokens import make_token_list
from pruneasr.errors import in_a_line


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.tokens", description=__doc__
    )
    parser.add_argument(
        "--text", type=Path, required=True, help="transcripts to train on: data/*/text"
    )
    parser.add_argument("--token-type", choices=TOKEN_TYPES, required=True)
    parser.add_argument(
        "--nbpe",
        type=int,
        default=100,
        help="length of the list, for bpe (default: 100)",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder that receives tokens.txt"
    )
    return parser


@in_a_line
def main() -> None:
    """Run the command line."""
    parser = get_parser()
    args = parser.parse_args()
    tokens = make_token_list(
        args.text,
        args.output,
        token_type=args.token_type,
        nbpe=args.nbpe,
    )
    print(f"{args.output / 'tokens.txt'}: {len(tokens)} tokens")


if __name__ == "__main__":
    main()
