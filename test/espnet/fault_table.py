"""Print how often each fault was injected into a distill-pruning, and what was lost.

    python test/espnet/fault_table.py

A tiny training is killed and stopped at random moments, started again each time, and
compared with an undisturbed one: metrics, weights, gates, multipliers and optimisers
bit by bit, and which utterances were trained when. Exit status 1 if anything was lost.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest looks, too

from distill_training import write_recipe
from faults import MOMENTS, Trainings, losses, of_two, random_faults, training

KILL, TERM, USR1 = signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1
# name, signals, number of faults, start of a training, further options
SERIES = (
    ("killed", (KILL,), 20, training, ()),
    # a step of two batches, which a worker process reads
    ("stopped", (TERM, USR1), 8, training, ("--accum_grad", "2", "--num_workers", "1")),
    ("two", (TERM, USR1), 2, of_two, ()),
)


def main() -> None:
    """Inject all faults and print one row for each kind."""
    rows: list[tuple[str, int, list[str]]] = []
    with tempfile.TemporaryDirectory() as directory:
        folder = write_recipe(Path(directory), dropout=0.1)
        for number, (name, signals, count, start, arguments) in enumerate(SERIES):
            whole = Trainings(folder, f"whole_{name}", arguments, start)
            whole.finish()
            hurt = Trainings(folder, name, arguments, start)
            hurt.suffer(random_faults(count, signals, random.Random(number)))
            lost = [
                loss
                for experiment in hurt.experiments()
                for loss in losses(experiment, whole.experiment, KILL in signals)
            ]
            rows += [(what, hits, lost) for what, hits in counts(hurt)]
    print("| fault | injected | lost |\n|---|---:|---|")
    for what, hits, lost in rows:
        print(f"| {what} | {hits} | {len(lost) or 'nothing'} |")
    losses_of_all = {loss for _, _, lost in rows for loss in lost}
    print(*sorted(losses_of_all), sep="\n", file=sys.stderr)
    sys.exit(1 if losses_of_all else 0)


def counts(hurt: Trainings) -> list[tuple[str, int]]:
    """Return each kind of fault of some trainings, in words, and its number."""
    where = " in one of two processes" if hurt.start is of_two else ""
    return [
        (f"{name}{where}, {MOMENTS[moment]}", number)
        for (name, moment), number in sorted(hurt.hits.items())
    ]


if __name__ == "__main__":
    main()
