"""What a recipe on a cluster trains, and what came out, see distill_training.py.

python outcome.py make              in a recipe: data/{train,dev}, a teacher, a config
python outcome.py equal DIR DIR     two experiments, bit by bit
python outcome.py close DIR DIR     their losses and gates, to TOLERANCE
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


# In float64 they differ by 1e-8, which is how statistics are stored. Only a norm of the
# gradients in the last epoch differs by 1e-4: where a gate's gradient is beyond 1, the
# straight-through estimator clips it in every process, before the mean of processes.
TOLERANCE = 1e-3


def close(first, second):
    expected, found = statistics(first), statistics(second)
    assert expected.keys() == found.keys()
    # what is near 0 is compared absolutely
    largest, key = max(
        (abs(found[key] - value) / max(abs(value), 0.1), key)
        for key, value in expected.items()
        if key[-1] != "frames"  # those of one process
    )
    print(f"largest difference {largest:.1e} in {key}")
    assert largest < TOLERANCE


if __name__ == "__main__":
    name, *experiments = sys.argv[1:]
    functions = {"make": make, "equal": equal, "close": close}
    functions[name](*map(Path, experiments))
