"""Make data/{train,dev,test,pretrain} of AN4 from a folder with its manifest.tsv.

AN4 has no development set: whole speakers, spread evenly over the sorted list (women
first, then men), are held out of its training part. data/pretrain is what the teacher
and the distillation listen to: the training audio and, if given, audio from elsewhere.
"""

import argparse
from pathlib import Path

from pruneasr.data.datadir import Utterance
from pruneasr.data.manifest import ManifestRow, read_manifest
from pruneasr.data.sets import write_checked, write_pretrain
from pruneasr.errors import in_a_line


def utterance_of(row: ManifestRow, corpus: Path) -> Utterance:
    """Name an utterance speaker first: an251-fash-b of fash is fash-an251-fash-b."""
    path = corpus / row.path
    return Utterance(f"{row.speaker}-{path.stem}", row.speaker, str(path), row.text)


def held_out_speakers(speakers: list[str], count: int) -> set[str]:
    """Choose speakers at equal distances in the sorted list.

    Raises:
        ValueError: Nobody would be left to train on.
    """
    if not 0 < count < len(speakers):
        raise ValueError(
            f"expected 1 to {len(speakers) - 1} --num-dev-speakers, found {count}"
        )
    step = len(speakers) / count
    return {speakers[int((index + 0.5) * step)] for index in range(count)}


def prepare(
    corpus: Path, data: Path, *, num_dev_speakers: int, expected: tuple[int, int]
) -> list[Utterance]:
    """Write train, dev and test; return the utterances of train.

    Raises:
        ValueError: The corpus does not hold the expected numbers of utterances.
    """
    rows = read_manifest(corpus)
    counts = tuple(sum(r.split == name for r in rows) for name in ("train", "test"))
    if counts != expected:
        raise ValueError(
            f"{corpus}: expected {expected[0]} training and {expected[1]} test "
            f"utterances, found {counts[0]} and {counts[1]}; the copy is not whole"
        )
    speakers = sorted({row.speaker for row in rows if row.split == "train"})
    dev_speakers = held_out_speakers(speakers, num_dev_speakers)
    parts: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for row in rows:
        held_out = row.split == "train" and row.speaker in dev_speakers
        parts["dev" if held_out else row.split].append(utterance_of(row, corpus))
    for name, utterances in parts.items():
        write_checked(data / name, utterances)
    return parts["train"]


@in_a_line
def main() -> None:
    """Read the options and write the four directories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds manifest.tsv")
    parser.add_argument("data", type=Path, help="folder that receives train, dev, ...")
    parser.add_argument("--extra-audio", type=Path, help="folder with audio, any names")
    parser.add_argument("--max-seconds", type=float, default=10.0, help="longest piece")
    parser.add_argument("--num-dev-speakers", type=int, default=8)
    parser.add_argument("--expected-train", type=int, default=948)
    parser.add_argument("--expected-test", type=int, default=130)
    args = parser.parse_args()
    train = prepare(
        args.corpus,
        args.data,
        num_dev_speakers=args.num_dev_speakers,
        expected=(args.expected_train, args.expected_test),
    )
    write_pretrain(args.data, train, args.extra_audio, args.max_seconds)


if __name__ == "__main__":
    main()
