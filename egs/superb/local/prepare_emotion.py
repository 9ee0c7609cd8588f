"""Make data/er: emotions of the Berlin Database of Emotional Speech, five splits.

As in SUPERB's IEMOCAP, no speaker of a test set is heard in training; here that holds
for the development set too. With ten speakers, two are tested and two tuned on.
"""

import argparse
from pathlib import Path

from splits import write_task

from pruneasr.data.datadir import Utterance
from pruneasr.data.manifest import ManifestRow, read_manifest
from pruneasr.errors import in_a_line

NUM_SPLITS = 5
"""As many as SUPERB has; run.sh counts on it."""


def splits_of(
    rows: list[ManifestRow], corpus: Path
) -> list[dict[str, list[Utterance]]]:
    """Return the sets of each split.

    Raises:
        ValueError: There are fewer speakers than splits.
    """
    speakers = sorted({row.speaker for row in rows})
    if len(speakers) < NUM_SPLITS:
        raise ValueError(
            f"expected at least {NUM_SPLITS} speakers, found {len(speakers)}"
        )
    fold = {
        speaker: i * NUM_SPLITS // len(speakers) for i, speaker in enumerate(speakers)
    }
    splits = []
    for test in range(NUM_SPLITS):
        sets: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
        for row in rows:
            path = corpus / row.path
            item = Utterance(
                f"{row.speaker}-{path.stem}", row.speaker, str(path), row.label
            )
            distance = (fold[row.speaker] - test) % NUM_SPLITS
            sets[{0: "test", 1: "dev"}.get(distance, "train")].append(item)
        splits.append(sets)
    return splits


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds manifest.tsv")
    parser.add_argument("output", type=Path, help="data/er")
    args = parser.parse_args()
    rows = read_manifest(args.corpus)
    about = (
        f"Berlin Database of Emotional Speech (German, acted), {len(rows)} "
        f"utterances, {len({row.label for row in rows})} emotions, {NUM_SPLITS} "
        "splits by speaker"
    )
    write_task(args.output, splits_of(rows, args.corpus), about)


if __name__ == "__main__":
    main()
