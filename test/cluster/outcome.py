"""What a recipe on a cluster trains, and what came out, see distill_training.py.

python outcome.py make              in a recipe: data/{train,dev}, a teacher, a config
python outcome.py equal DIR DIR     two experiments, bit by bit
python outcome.py close DIR DIR     their losses in the first epochs, to 1e-4
"""

import sys
from pathlib import Path

from distill_training import differences, outcome, statistics, write_recipe


def make():
    """Let the training set, noise, be the validation set too."""
    folder = Path("data/train").absolute()
    folder.mkdir(parents=True)
    write_recipe(folder)
    Path("data/dev").symlink_to("train")


def equal(first, second):
    assert differences(outcome(first), outcome(second)) == []


# Sums in another order make the gates differ by 1e-5 after 60 steps. Soon one of them
# is then closed in one training and open in the other, and these part.
COMPARED_EPOCHS = 2


def close(first, second):
    expected, found = statistics(first), statistics(second)
    assert expected.keys() == found.keys()
    # what is near 0 is compared absolutely
    largest, key = max(
        (abs(found[key] - value) / max(abs(value), 0.1), key)
        for key, value in expected.items()
        if key[0] <= COMPARED_EPOCHS and key[-1] != "frames"  # those of one process
    )
    print(f"largest difference {largest:.1e} in {key}")
    assert largest < 1e-4


if __name__ == "__main__":
    name, *experiments = sys.argv[1:]
    functions = {"make": make, "equal": equal, "close": close}
    functions[name](*map(Path, experiments))
