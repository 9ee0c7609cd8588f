"""Tasks of ESPnet that one program runs, chosen by ``--task``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from pruneasr.espnet.safe_task import SafeTask


class NamedTask(SafeTask):
    """A task with a name; put before ESPnet's task."""

    name: str

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add ``--task`` to the options of ESPnet's task."""
        super().add_task_arguments(parser)
        group = parser.add_argument_group("Choice of the task")
        group.add_argument(
            "--task", choices=[cls.name], default=cls.name, help="Whose loss is used"
        )


def by_name(*tasks: type[NamedTask]) -> dict[str, type[NamedTask]]:
    """Return tasks by their names."""
    return {task.name: task for task in tasks}


def run_named(
    tasks: Mapping[str, type[NamedTask]], about: str, cmd: Sequence[str] | None
) -> None:
    """Run the task that ``--task`` names; all other options are the task's."""
    parser = argparse.ArgumentParser(
        description=about, add_help=False, allow_abbrev=False
    )
    parser.add_argument("--task", choices=tasks, required=True)
    known, _ = parser.parse_known_args(cmd)
    tasks[known.task].main(cmd=cmd)
