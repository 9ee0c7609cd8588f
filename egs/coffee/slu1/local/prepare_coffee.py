"""Make data/{train,dev,test,pretrain} of the coffee orders from their manifest.tsv.

``text`` is what was ordered: the intent, then the slots, as far as they were said, in
one order; stage 6 puts those of train and dev into the order of speech. Nobody knows
who speaks, so speakers of the test set may also be in the training set; which order is
where depends on a digest of its name alone.
"""

import argparse
import hashlib
import json
from pathlib import Path

from pruneasr.data.audio import raise_problems
from pruneasr.data.datadir import Utterance
from pruneasr.data.manifest import ManifestRow, read_manifest
from pruneasr.data.semantic_frames import SemanticFrame, format_frame, parse_frame
from pruneasr.data.sets import write_checked, write_pretrain
from pruneasr.errors import in_a_line

SLOTS = ("size", "numberOfShots", "roast", "coffeeDrink", "milkAmount", "sugarAmount")


def text_of(label: str) -> str:
    """Return the words that stand for a label, a JSON object of intent and slots.

    Raises:
        ValueError: There is no label, it is no such object, or a slot is unknown.
    """
    if not label.strip():
        raise ValueError("expected a label, found none")
    try:
        values = dict(json.loads(label))
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected a JSON object, found {label!r}") from error
    intent = str(values.pop("intent", "")).strip()
    order = {name: i for i, name in enumerate(SLOTS)}
    names = sorted(values, key=lambda name: order.get(name, len(SLOTS)))
    slots = tuple((name, " ".join(str(values[name]).split())) for name in names)
    text = format_frame(SemanticFrame(intent, slots))
    parse_frame(text, SLOTS)
    return text


def utterances_of(rows: list[ManifestRow], corpus: Path) -> list[Utterance]:
    """Make an utterance of every row, each its own speaker.

    Raises:
        ValueError: A label cannot be used; the message lists them all.
    """
    utterances, problems = [], []
    for row in rows:
        path = corpus / row.path
        name = path.stem.replace("-", "")  # a speaker id holds no hyphen
        try:
            utterances.append(Utterance(name, name, str(path), text_of(row.label)))
        except ValueError as error:
            problems.append(f"{path.stem}: {error}")
    raise_problems(f"{corpus / 'manifest.tsv'}: labels", problems, len(rows))
    return utterances


def split(
    utterances: list[Utterance], num_dev: int, num_test: int
) -> dict[str, list[Utterance]]:
    """Split by a digest of the names; the test set does not depend on num_dev.

    Raises:
        ValueError: Nothing would be left to train on.
    """
    if not 0 < num_dev + num_test < len(utterances):
        raise ValueError(
            f"expected less than {len(utterances)} utterances for dev and test, found "
            f"{num_dev} and {num_test}"
        )
    shuffled = sorted(
        utterances, key=lambda u: hashlib.sha256(u.utterance.encode()).digest()
    )
    return {
        "test": shuffled[:num_test],
        "dev": shuffled[num_test : num_test + num_dev],
        "train": shuffled[num_test + num_dev :],
    }


@in_a_line
def main() -> None:
    """Read the options and write the four directories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds manifest.tsv")
    parser.add_argument("data", type=Path, help="folder that receives train, dev, ...")
    parser.add_argument("--extra-audio", type=Path, help="folder with audio, any names")
    parser.add_argument("--max-seconds", type=float, default=10.0, help="longest piece")
    parser.add_argument("--num-dev", type=int, default=60)
    parser.add_argument("--num-test", type=int, default=100)
    args = parser.parse_args()
    utterances = utterances_of(read_manifest(args.corpus), args.corpus)
    parts = split(utterances, args.num_dev, args.num_test)
    for name, part in parts.items():
        write_checked(args.data / name, part)
    write_pretrain(args.data, parts["train"], args.extra_audio, args.max_seconds)


if __name__ == "__main__":
    main()
