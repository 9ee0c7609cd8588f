"""Check the labels of a corpus for SLU before anything trains on them.

Reads `text` of each data directory, lines of `utterance intent slot:value ...`, lists
all that cannot be read, and prints which slots there are, with how often.
"""

import argparse
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from pruneasr.data.semantic_frames import read_frames
from pruneasr.errors import in_a_line


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.check_labels", description=__doc__
    )
    parser.add_argument("directories", type=Path, nargs="+", help="e.g. data/train")
    parser.add_argument(
        "--slots", nargs="+", help="names that slots may have (default: any)"
    )
    return parser


def check(directory: Path, slots: Collection[str] | None) -> None:
    """Read the labels of a directory and print what they hold.

    Raises:
        ValueError: as ``read_frames`` does.
    """
    frames = read_frames(directory / "text", slots).values()
    intents = {frame.intent for frame in frames}
    names = Counter(name for frame in frames for name, _ in frame.slots)
    counts = ", ".join(f"{name} ({n})" for name, n in names.most_common()) or "none"
    print(f"{directory}: {len(frames)} labels, {len(intents)} intents, slots: {counts}")


@in_a_line
def main() -> None:
    """Run the command line."""
    args = get_parser().parse_args()
    for directory in args.directories:
        check(directory, args.slots)


if __name__ == "__main__":
    main()
