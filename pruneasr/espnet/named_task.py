"""Tasks of ESPnet that one program runs, chosen by ``--task``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pruneasr.espnet.safe_task import SafeTask


class NamedTask(SafeTask):
    """A task with a name; put before ESPnet's task."""

    name: str


Task = TypeVar("Task", bound=NamedTask)


def by_name(*tasks: type[Task]) -> dict[str, type[Task]]:
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
    known, options = parser.parse_known_args(cmd)
    tasks[known.task].main(cmd=options)
