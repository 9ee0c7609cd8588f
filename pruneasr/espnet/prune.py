"""From a distil-prune experiment to the removed encoder and its report."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import torch
import yaml

from pruneasr.distill.model import Distillation
from pruneasr.encoder import Encoder, save_encoder
from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.plan import plan_removal
from pruneasr.pruning.removal import mask, remove
from pruneasr.pruning.report import History, summarize, write_report
from pruneasr.pruning.widths import Widths, expected_widths

# Masked and removed model may differ by rounding only
TOLERANCE = 1e-4
# Beyond it the removal takes out much that the training had not closed
GAP = 0.02


def prune_experiment(experiment: Path, output: Path) -> dict[str, Any]:
    """Remove what the gates of an experiment close; write encoder and report.

    Args:
        experiment: output directory of distil-pruning, finished.
        output: receives the encoder, report.json, report.md and two figures.

    Returns:
        The report.

    Raises:
        ValueError: if the experiment is not finished, or the removed model does not
            compute what the masked one does.
    """
    config = experiment / "config.yaml"
    if not config.exists() or not (experiment / "latest.pth").exists():
        raise ValueError(
            f"expected a finished distil-pruning in {experiment} (config.yaml and "
            "latest.pth); run the distill stage first"
        )
    args = argparse.Namespace(**yaml.safe_load(config.read_text(encoding="utf-8")))
    args.output_dir = str(experiment)
    objective = DistillPruneTask.load_latest(args).objective
    assert isinstance(objective, Distillation)
    student, constraint = objective.student.eval(), objective.constraint
    assert constraint is not None
    history = read_history(experiment)
    done = len(history["loss"])
    if done < args.max_epoch and args.patience is None:
        raise ValueError(
            f"{experiment} has done {done} of {args.max_epoch} epochs; run the distill "
            "stage again, it resumes"
        )
    with torch.no_grad():
        expected = expected_widths(student)
    _warn_of_gaps(constraint, expected)
    removed, distance = remove_checked(student, constraint)
    report = summarize(student.config, removed.config, expected, constraint, distance)
    save_encoder(
        removed,
        output,
        {"teacher": args.teacher, "experiment": str(experiment), **report},
    )
    write_report(report, student.config, history, output)
    return report


def _warn_of_gaps(constraint: Constraint, expected: Widths) -> None:
    for term, sparsity in constraint.sparsity(expected).items():
        target = constraint.targets[term]
        if abs(float(sparsity) - target) > GAP:
            logging.warning(
                "the training ended at an expected sparsity of %.3f of %s, the target "
                "is %.3f: the removal closes the difference itself. Train longer, or "
                "raise the learning rate of optim2",
                float(sparsity),
                term,
                target,
            )


def remove_checked(student: Encoder, constraint: Constraint) -> tuple[Encoder, float]:
    """Remove by the constraint's plan and compare with the masked student.

    Returns:
        The removed encoder and the largest difference of their hidden states on two
        seconds of noise.

    Raises:
        ValueError: if that is more than rounding.
    """
    plan = plan_removal(student, constraint)
    mask(student, plan)
    removed = remove(student, plan)
    noise = torch.randn(1, 32000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pairs = zip(student(noise)[0], removed(noise)[0], strict=True)
        distance = max(float((a - b).abs().max()) for a, b in pairs)
    logging.info("Largest difference of masked and removed model: %.1e", distance)
    if not distance <= TOLERANCE:
        raise ValueError(
            f"the removed model differs from the masked one by {distance}, more than "
            f"{TOLERANCE}; this is a defect of the removal, please report it"
        )
    return removed, distance


def read_history(experiment: Path) -> History:
    """Return the training statistics of every epoch out of ESPnet's checkpoint."""
    # weights_only=False: the reporter's state is made of ESPnet's own classes, and the
    # file is one that this recipe wrote
    states = torch.load(
        experiment / "checkpoint.pth", map_location="cpu", weights_only=False
    )
    epochs = sorted(states["reporter"]["stats"].items())
    history: dict[str, list[float]] = {}
    for _, stats in epochs:
        for name, value in stats["train"].items():
            if isinstance(value, (int, float)):
                history.setdefault(name, []).append(float(value))
    return history
