"""Make the token list of a corpus, in ESPnet's form.

Writes tokens.txt (<blank>, <unk>, the tokens, <sos/eos>) and, for bpe, bpe.model.
"""

import argparse
from pathlib import Path

from pruneasr.data.text import TOKEN_TYPES
from pruneasr.data.tokens import make_token_list


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
        "--vocab-size", type=int, help="length of the list, for bpe and only for bpe"
    )
    parser.add_argument(
        "--output-dir", type=Path, required=True, help="receives tokens.txt"
    )
    return parser


def main() -> None:
    """Run the command line."""
    parser = get_parser()
    args = parser.parse_args()
    try:
        tokens = make_token_list(
            args.text,
            args.output_dir,
            token_type=args.token_type,
            vocab_size=args.vocab_size,
        )
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    print(f"{args.output_dir / 'tokens.txt'}: {len(tokens)} tokens")


if __name__ == "__main__":
    main()
