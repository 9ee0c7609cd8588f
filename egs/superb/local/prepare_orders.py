"""Make data/ic or data/sf of the data directories of the coffee orders.

All orders have the intent to order, so the drink that is ordered takes its place (IC).
SF writes all slots with their values; no transcripts exist, so nothing stands between
them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from splits import sizes, write_task

from pruneasr.data.datadir import Utterance, read_data_dir
from pruneasr.data.semantic_frames import SemanticFrame, parse_frame
from pruneasr.errors import in_a_line
from pruneasr.superb.metrics.slots import BEGIN, END


def ordered_drink(frame: SemanticFrame) -> str:
    """Return the drink as one word.

    Raises:
        ValueError: None is ordered.

    >>> ordered_drink(SemanticFrame("order", (("coffeeDrink", "iced mocha"),)))
    'iced_mocha'
    """
    drinks = [value for name, value in frame.slots if name == "coffeeDrink"]
    if len(drinks) != 1:
        raise ValueError(f"expected a drink in every order, found {frame}")
    return drinks[0].replace(" ", "_")


def tagged_slots(frame: SemanticFrame) -> str:
    """Return the values of all slots between their tags.

    >>> tagged_slots(SemanticFrame("order", (("size", "twelve ounce"),)))
    'B-size twelve ounce E-size'
    """
    return " ".join(f"{BEGIN}{name} {value} {END}{name}" for name, value in frame.slots)


TEXT_OF: dict[str, Callable[[SemanticFrame], str]] = {
    "ic": ordered_drink,
    "sf": tagged_slots,
}
WHAT = {"ic": "ten drinks as intents", "sf": "slots without transcripts"}


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=TEXT_OF)
    parser.add_argument("source", type=Path, help="holds train, dev and test")
    parser.add_argument("output", type=Path, help="data/ic or data/sf")
    args = parser.parse_args()
    sets = {
        name: [
            Utterance(
                item.utterance,
                item.speaker,
                item.audio,
                TEXT_OF[args.task](parse_frame(item.text or "")),
            )
            for item in read_data_dir(args.source / name)
        ]
        for name in ("train", "dev", "test")
    }
    about = (
        f"coffee orders of the Speech-to-Intent Benchmark, {WHAT[args.task]}, "
        f"{sizes(sets)}; speakers are unknown, so not apart"
    )
    write_task(args.output, [sets], about)


if __name__ == "__main__":
    main()
