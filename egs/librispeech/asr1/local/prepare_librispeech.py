"""Make the data directories of LibriSpeech from its folders <part>/<speaker>/<chapter>.

Each chapter has its transcripts in one file, ``<speaker>-<chapter>.trans.txt``.
"""

import argparse
from pathlib import Path

from parts import PARTS, SETS

from pruneasr.data.datadir import Utterance, read_table
from pruneasr.data.sets import write_checked
from pruneasr.errors import in_a_line


def read_part(folder: Path, expected: int | None) -> list[Utterance]:
    """Return the utterances of one part.

    Args:
        folder: Of the part.
        expected: How many utterances it must have; None: any number.

    Raises:
        ValueError: There are not as many, or audio and transcripts do not belong to
            each other.
    """
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*/*/*.trans.txt")):
        texts |= read_table(path)
    audio = {path.stem: path for path in folder.glob("*/*/*.flac")}
    alone = sorted(set(texts) ^ set(audio))
    if alone or not audio or len(audio) != (expected or len(audio)):
        raise ValueError(
            f"{folder}: expected {expected or 'some'} utterances, each with its "
            f"transcript; found {len(audio)} recordings, {len(texts)} transcripts, "
            f"{len(alone)} without the other {alone[:3]}. Remove the folder and run "
            "the command again to download it"
        )
    return [
        Utterance(name, name.split("-")[0], str(audio[name]), texts[name])
        for name in sorted(audio)
    ]


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds the parts")
    parser.add_argument("data", type=Path, help="receives train_960, dev, ...")
    parser.add_argument("--check-counts", choices=("true", "false"), default="true")
    args = parser.parse_args()
    parts = {
        name: read_part(
            args.corpus / name,
            part.num_utterances if args.check_counts == "true" else None,
        )
        for name, part in PARTS.items()
    }
    for name, members in SETS.items():
        utterances = [item for member in members for item in parts[member]]
        write_checked(args.data / name, utterances)


if __name__ == "__main__":
    main()
