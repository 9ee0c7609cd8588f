"""Refuse budgets that gates on the given units cannot reach, before any training.

    echo "mac_50 --constraint_conf kind=mac --constraint_conf target=0.5" \
        | python -m pruneasr.bin.check_budgets --task asr --config conf/prune_asr.yaml \
            --encoder exp/teacher

A line of standard input is a name and options of pruneasr.bin.task_prune_train.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from pruneasr.encoder.checkpoint import load_config
from pruneasr.errors import in_a_line
from pruneasr.espnet.gate_training import build_constraint
from pruneasr.espnet.prune_task import TASKS


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, check every line of standard input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--config", type=Path, required=True, help="of the trainings")
    parser.add_argument("--encoder", type=Path, required=True, help="what is gated")
    args = parser.parse_args(argv)
    check(args.task, args.config, args.encoder, sys.stdin)


def check(task: str, config: Path, encoder: Path, lines: Iterable[str]) -> None:
    """Build the constraint of every line.

    Args:
        task: of the trainings.
        config: YAML of their options.
        encoder: directory of the dense encoder.
        lines: a name and further options each.

    Raises:
        ValueError: for all lines whose constraint is refused, with the reasons.
    """
    dense = load_config(encoder)
    parser = TASKS[task].get_parser()
    refused = []
    for line in lines:
        name, *options = line.split()
        training = parser.parse_args(["--config", str(config), *options])
        try:
            build_constraint(training, dense)
        except ValueError as error:
            refused.append(f"{name}: {error}")
    if refused:
        raise ValueError("; ".join(refused))


if __name__ == "__main__":
    main()
