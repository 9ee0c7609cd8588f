"""From an experiment of ESPnet with gates to the removed encoder and its report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from pruneasr.epochs import CHECKPOINT, read_epochs
from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.espnet.prune_task import TASKS
from pruneasr.pruning.prune import prune
from pruneasr.pruning.report import History


def prune_experiment(
    experiment: Path, output: Path, multiple_of: int = 1
) -> dict[str, Any]:
    """Remove what the gates of an experiment close; write encoder and report.

    Args:
        experiment: output directory of distill-pruning or of a task's pruning.
        output: receives the encoder, report.json, report.md and two figures.
        multiple_of: see :func:`~pruneasr.pruning.plan.plan_removal`.

    Returns:
        The report.

    Raises:
        ValueError: if the experiment is not finished, multiples miss the target, or
            the removed model does not compute what the masked one does.
    """
    args = _read_options(experiment)
    task = getattr(args, "task", None)
    encoder, constraint = (
        TASKS[task].load_gated(args) if task else DistillPruneTask.load_gated(args)
    )
    teacher = args.frontend_conf["ckpt"] if task else args.teacher
    made = {"teacher": teacher, "experiment": str(experiment)}
    history = _finished_history(experiment, args)
    return prune(
        encoder.eval(),
        constraint,
        output,
        made,
        history=history,
        multiple_of=multiple_of,
    )


def _read_options(experiment: Path) -> argparse.Namespace:
    config = experiment / "config.yaml"
    files = (config, experiment / "latest.pth", experiment / CHECKPOINT)
    missing = [path.name for path in files if not path.exists()]
    if missing:
        raise ValueError(
            f"expected a finished training with gates in {experiment}, found no "
            f"{' and no '.join(missing)}; run that training first"
        )
    args = argparse.Namespace(**yaml.safe_load(config.read_text(encoding="utf-8")))
    args.output_dir = str(experiment)
    return args


def _finished_history(experiment: Path, args: argparse.Namespace) -> History:
    history = read_history(experiment)
    done = len(history["loss"])
    if done < args.max_epoch and args.patience is None:
        raise ValueError(
            f"{experiment} has done {done} of {args.max_epoch} epochs; run its "
            "training again, it resumes"
        )
    return history


def read_history(experiment: Path) -> History:
    """Return the training statistics of every epoch.

    Raises:
        ValueError: if the experiment has left no checkpoint.
    """
    history: dict[str, list[float]] = {}
    for stats in read_epochs(experiment):
        for name, value in stats["train"].items():
            if isinstance(value, (int, float)):
                history.setdefault(name, []).append(float(value))
    return history
