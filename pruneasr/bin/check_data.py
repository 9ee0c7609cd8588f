"""Check data directories before anything trains on them.

Opens every entry of wav.scp, lists all that cannot be used with the reason and the
remedy, and writes utt2num_samples. With --tokens it also checks the transcripts;
--allow-unknown is for sets to validate and to test on.
"""

import argparse
import sys
from pathlib import Path

from pruneasr import SAMPLE_RATE
from pruneasr.data.audio import check_audio
from pruneasr.data.text import check_text, read_token_folder
from pruneasr.errors import in_a_line

NAMED = 20
"""So many of the tokens that a list lacks are named, the most frequent ones."""


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.check_data",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("directories", type=Path, nargs="+", help="e.g. data/train")
    parser.add_argument(
        "--tokens", type=Path, help="folder that pruneasr.bin.tokens made"
    )
    parser.add_argument(
        "--allow-unknown",
        action="store_true",
        help="only warn of tokens that are not in the list; ESPnet reads them as <unk>",
    )
    return parser


def check(args: argparse.Namespace) -> None:
    """Check one directory after the other; print a line for each."""
    for directory in args.directories:
        lengths = check_audio(directory)
        hours = sum(lengths.values()) / SAMPLE_RATE / 3600
        print(f"{directory}: {len(lengths)} utterances, {hours:.2f} h")
        if args.tokens is not None:
            total, unknown = check_text(
                directory,
                *read_token_folder(args.tokens),
                allow_unknown=args.allow_unknown,
            )
            lacks = f"all but {unknown.total()}" if unknown else "all"
            print(f"{directory}: {total} tokens, {lacks} in {args.tokens}")
            if unknown:
                named = ", ".join(f"{t!r} ({n})" for t, n in unknown.most_common(NAMED))
                print(f"{directory}: WARNING: read as <unk>: {named}", file=sys.stderr)


@in_a_line
def main() -> None:
    """Run the command line."""
    parser = get_parser()
    check(parser.parse_args())


if __name__ == "__main__":
    main()
