"""Make data/ks: keywords of Speech Commands, classified.

The corpus' own split `dev` is the test set; of the speakers of `train` every tenth is
for tuning. No speaker is in two sets.
"""

import argparse
from pathlib import Path

from splits import hold_out, sizes, write_task

from pruneasr.data.datadir import Utterance
from pruneasr.data.manifest import ManifestRow, read_manifest
from pruneasr.errors import in_a_line


def utterance_of(row: ManifestRow, corpus: Path) -> Utterance:
    """Name an utterance speaker first; its text is the keyword."""
    path = corpus / row.path
    return Utterance(
        f"{row.speaker}-{row.label}-{path.stem}", row.speaker, str(path), row.label
    )


def sets_of(corpus: Path) -> dict[str, list[Utterance]]:
    """Return train, dev and test, speakers apart.

    Raises:
        ValueError: The manifest lacks a split, or a speaker is in both.
    """
    rows = read_manifest(corpus)
    speakers = {
        split: {row.speaker for row in rows if row.split == split}
        for split in ("train", "dev")
    }
    if not all(speakers.values()) or speakers["train"] & speakers["dev"]:
        raise ValueError(
            f"{corpus}: expected the splits train and dev without common speakers, "
            f"found {[len(names) for names in speakers.values()]} speakers, common: "
            f"{sorted(speakers['train'] & speakers['dev'])[:5]}"
        )
    num_dev = max(1, len(speakers["train"]) // 10)
    members = hold_out(speakers["train"], num_dev, 0)
    members["test"] = speakers["dev"]
    return {
        name: [utterance_of(row, corpus) for row in rows if row.speaker in those]
        for name, those in members.items()
    }


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds manifest.tsv")
    parser.add_argument("output", type=Path, help="data/ks")
    args = parser.parse_args()
    sets = sets_of(args.corpus)
    num_words = len({item.text for item in sets["train"]})
    about = (
        f"Speech Commands excerpt, {num_words} words, no silence or unknown, "
        f"{sizes(sets)}"
    )
    write_task(args.output, [sets], about)


if __name__ == "__main__":
    main()
