"""Make data/sid: which of its speakers reads a sentence of LibriSpeech?

Every speaker is in all sets, with other utterances; a few of each are enough here.
"""

import argparse
from pathlib import Path

from splits import shuffled, sizes, write_task

from pruneasr.data.datadir import Utterance
from pruneasr.data.manifest import ManifestRow, read_manifest
from pruneasr.errors import in_a_line


def sets_of(
    rows: list[ManifestRow], corpus: Path, most: int
) -> dict[str, list[Utterance]]:
    """Give a quarter of a speaker's utterances to test, an eighth to dev.

    Args:
        rows: Of the manifest.
        corpus: Its folder.
        most: Utterances of a speaker that are used.

    Raises:
        ValueError: A speaker has fewer than 8 utterances.
    """
    paths: dict[str, list[str]] = {}
    for row in rows:
        paths.setdefault(row.speaker, []).append(row.path)
    sets: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for speaker, theirs in sorted(paths.items()):
        chosen = shuffled(theirs)[:most]
        if len(chosen) < 8:
            raise ValueError(
                f"expected at least 8 utterances of every speaker, found {len(chosen)} "
                f"of {speaker}"
            )
        num_test, num_dev = len(chosen) // 4, len(chosen) // 8
        for i, path in enumerate(chosen):
            name = (
                "test" if i < num_test else "dev" if i < num_test + num_dev else "train"
            )
            audio = corpus / path
            item = Utterance(f"{speaker}-{audio.stem}", speaker, str(audio), speaker)
            sets[name].append(item)
    return sets


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds manifest.tsv")
    parser.add_argument("output", type=Path, help="data/sid")
    parser.add_argument("--most", type=int, default=32, help="utterances of a speaker")
    args = parser.parse_args()
    sets = sets_of(read_manifest(args.corpus), args.corpus, args.most)
    about = (
        f"LibriSpeech train-clean-5, {len({u.speaker for u in sets['train']})} "
        f"speakers, {sizes(sets)}"
    )
    write_task(args.output, [sets], about)


if __name__ == "__main__":
    main()
