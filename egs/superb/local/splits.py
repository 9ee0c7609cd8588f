"""What the preparations share: an order without meaning, and the layout of a task.

data/<task>/about                  one line: what the task is made of here
data/<task>/split<k>/{train,dev,test}   Kaldi data directories; ER has five splits
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pruneasr.data.datadir import Utterance
from pruneasr.data.sets import write_checked
from pruneasr.files import write_atomic

Sets = Mapping[str, Sequence[Utterance]]


def shuffled(names: Iterable[str]) -> list[str]:
    """Sort by a digest: the same order everywhere, and none that means anything."""
    return sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())


def hold_out(names: Iterable[str], num_dev: int, num_test: int) -> dict[str, set[str]]:
    """Share names out to train, dev and test; test does not depend on num_dev.

    Raises:
        ValueError: Nothing would be left to train on.
    """
    order = shuffled(names)
    if not 0 < num_dev + num_test < len(order):
        raise ValueError(
            f"expected less than {len(order)} for dev and test, found {num_dev} and "
            f"{num_test}"
        )
    return {
        "test": set(order[:num_test]),
        "dev": set(order[num_test : num_test + num_dev]),
        "train": set(order[num_test + num_dev :]),
    }


def sizes(sets: Sets) -> str:
    """Say how many utterances each set has."""
    numbers = " / ".join(str(len(sets[name])) for name in ("train", "dev", "test"))
    return f"{numbers} utterances"


def write_task(task: Path, splits: Sequence[Sets], about: str) -> None:
    """Write the data directories of all splits and what they are.

    Raises:
        ValueError: A set is empty or shares utterances with another one of its split,
            or audio cannot be used.
    """
    for number, sets in enumerate(splits, 1):
        seen: dict[str, str] = {}
        for name, utterances in sets.items():
            for item in utterances:
                if seen.setdefault(item.audio, name) != name:
                    raise ValueError(
                        f"{task}: {item.audio} is in {name} and in {seen[item.audio]}"
                    )
            write_checked(task / f"split{number}" / name, utterances)
    write_atomic(task / "about", f"{about}\n")
