"""From an experiment with gates, or scores, to the removed encoder and its report."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from pruneasr.encoder import Encoder, load_encoder, save_encoder
from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.espnet.prune_task import TASKS
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.plan import plan_removal
from pruneasr.pruning.removal import mask, remove
from pruneasr.pruning.report import History, summarize, write_report
from pruneasr.pruning.scores import gate_by_scores
from pruneasr.pruning.widths import Widths, config_widths, expected_widths

# Masked and removed model may differ by rounding only
TOLERANCE = 1e-4
# Beyond it the removal takes out much that the training had not closed
GAP = 0.02


def prune_experiment(
    experiment: Path, output: Path, multiple_of: int = 1
) -> dict[str, Any]:
    """Remove what the gates of an experiment close; write encoder and report.

    Args:
        experiment: output directory of distil-pruning or of a task's pruning.
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
    encoder.eval()
    history = _finished_history(experiment, args)
    with torch.no_grad():
        expected = expected_widths(encoder)
    _warn_of_gaps(constraint, expected)
    removed, distance = remove_checked(encoder, constraint, multiple_of)
    report = summarize(encoder.config, removed.config, expected, constraint, distance)
    teacher = args.frontend_conf["ckpt"] if task else args.teacher
    save_encoder(
        removed,
        output,
        {"teacher": teacher, "experiment": str(experiment), **report},
    )
    write_report(report, encoder.config, history, output)
    return report


def prune_by_scores(
    teacher: Path,
    output: Path,
    units: Sequence[str],
    *,
    scores: str,
    seed: int,
    multiple_of: int = 1,
    **constraint_conf: Any,
) -> dict[str, Any]:
    """Remove the units of the lowest scores, untrained; write encoder and report.

    Args:
        teacher: encoder directory.
        output: see :func:`prune_experiment`.
        units: of :data:`~pruneasr.pruning.scores.SCORED_UNITS`.
        scores: key of :data:`~pruneasr.pruning.scores.SCORES`.
        seed: of what is drawn.
        multiple_of: see :func:`~pruneasr.pruning.plan.plan_removal`.
        constraint_conf: further arguments of the constraint: target, denominator.

    Returns:
        The report; its expected sparsity is the actual one.

    Raises:
        ValueError: if units, scores or the target do not fit, or as in
            :func:`prune_experiment`.
    """
    encoder = load_encoder(teacher).eval()
    constraint = Constraint(encoder.config, units, warmup_steps=0, **constraint_conf)
    gate_by_scores(encoder, units, constraint, scores=scores, seed=seed)
    removed, distance = remove_checked(encoder, constraint, multiple_of)
    expected = config_widths(removed.config)
    report = summarize(encoder.config, removed.config, expected, constraint, distance)
    made = {"teacher": str(teacher), "scores": scores, "seed": seed}
    save_encoder(removed, output, {**made, **report})
    write_report(report, encoder.config, {}, output)
    return report


def _read_options(experiment: Path) -> argparse.Namespace:
    config = experiment / "config.yaml"
    files = (config, experiment / "latest.pth", experiment / "checkpoint.pth")
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


def _warn_of_gaps(constraint: Constraint, expected: Widths) -> None:
    for term, sparsity in constraint.sparsity(expected).items():
        target = constraint.targets[term]
        gap = float(sparsity) - target
        if abs(gap) > GAP:
            logging.warning(
                "the training ended at an expected sparsity of %.3f of %s, the target "
                "is %.3f: the removal %s units for it. Train longer, or %s",
                float(sparsity),
                term,
                target,
                *(
                    ("opens", "lower constraint_conf multiplier_lr")
                    if gap > 0
                    else ("closes", "raise the learning rate of optim2")
                ),
            )


def remove_checked(
    encoder: Encoder, constraint: Constraint, multiple_of: int = 1
) -> tuple[Encoder, float]:
    """Remove by the constraint's plan and compare with the masked encoder.

    Returns:
        The removed encoder and the largest difference of their hidden states on two
        seconds of noise.

    Raises:
        ValueError: if that is more than rounding.
    """
    plan = plan_removal(encoder, constraint, multiple_of)
    mask(encoder, plan)
    removed = remove(encoder, plan)
    noise = torch.randn(1, 32000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pairs = zip(encoder(noise)[0], removed(noise)[0], strict=True)
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
