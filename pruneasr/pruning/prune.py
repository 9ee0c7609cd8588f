"""From gates, or scores, to the removed encoder, checked and saved with its report."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from pruneasr.encoder import Encoder, load_encoder, save_encoder
from pruneasr.encoder.feature_extractor import frame_mask
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.plan import plan_removal
from pruneasr.pruning.removal import mask, remove
from pruneasr.pruning.report import History, summarize, write_report
from pruneasr.pruning.scores import gate_by_scores
from pruneasr.pruning.widths import Widths, config_widths, expected_widths

# Masked and removed model may differ by rounding only, relative to the largest hidden
# state: of Base and Large with random weights it is below 3e-6
TOLERANCE = 1e-5
# Samples of the utterances on which they are compared, alone and as a padded batch
LENGTHS = (32000, 20000)
# Beyond it the removal takes out much that the training had not closed, or brings back
# much that it had
GAP = 0.02


def prune(
    encoder: Encoder,
    constraint: Constraint,
    output: Path,
    made: Mapping[str, Any],
    *,
    history: History,
    multiple_of: int = 1,
) -> dict[str, Any]:
    """Remove what trained gates close; write encoder and report.

    Args:
        encoder: with gates.
        constraint: what they were trained under.
        output: receives the encoder, report.json, report.md and two figures.
        made: of what and how, kept beside the encoder.
        history: of the training, for the report.
        multiple_of: see :func:`~pruneasr.pruning.plan.plan_removal`.

    Returns:
        The report.

    Raises:
        ValueError: if multiples miss the target, or the removed model does not compute
            what the masked one does.
    """
    with torch.no_grad():
        expected = expected_widths(encoder)
    _warn_of_gaps(constraint, expected)
    return _leave(encoder, constraint, output, made, expected, history, multiple_of)


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
        output: see :func:`prune`.
        units: of :data:`~pruneasr.pruning.scores.SCORED_UNITS`.
        scores: key of :data:`~pruneasr.pruning.scores.SCORES`.
        seed: of what is drawn.
        multiple_of: see :func:`~pruneasr.pruning.plan.plan_removal`.
        constraint_conf: further arguments of the constraint: target, denominator.

    Returns:
        The report; its expected sparsity is the actual one.

    Raises:
        ValueError: if units, scores or the target do not fit, or as in :func:`prune`.
    """
    encoder = load_encoder(teacher).eval()
    constraint = Constraint(encoder.config, units, warmup_steps=0, **constraint_conf)
    gate_by_scores(encoder, units, constraint, scores=scores, seed=seed)
    made = {"teacher": str(teacher), "scores": scores, "seed": seed}
    return _leave(encoder, constraint, output, made, None, {}, multiple_of)


def _leave(
    encoder: Encoder,
    constraint: Constraint,
    output: Path,
    made: Mapping[str, Any],
    expected: Widths | None,
    history: History,
    multiple_of: int,
) -> dict[str, Any]:
    """Remove, and write what is left; without a training nothing else was expected."""
    removed, distance = remove_checked(encoder, constraint, multiple_of)
    if expected is None:
        expected = config_widths(removed.config)
    report = summarize(encoder.config, removed.config, expected, constraint, distance)
    save_encoder(removed, output, {**made, **report})
    write_report(report, encoder.config, history, output)
    return report


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
        The removed encoder and the largest difference of their hidden states on
        seconds of noise, padded and unpadded.

    Raises:
        ValueError: if that is more than rounding.
    """
    plan = plan_removal(encoder, constraint, multiple_of)
    mask(encoder, plan)
    removed = remove(encoder, plan)
    distance, largest = _compare(encoder, removed)
    logging.info("Largest difference of masked and removed model: %.1e", distance)
    if not distance <= TOLERANCE * max(1.0, largest):  # nor where it is NaN
        raise ValueError(
            f"the removed model differs from the masked one by {distance}, where "
            f"hidden states are at most {largest}; this is a defect of the removal, "
            "please report it"
        )
    return removed, distance


@torch.no_grad()
def _compare(masked: Encoder, removed: Encoder) -> tuple[float, float]:
    """Return the largest difference of hidden states, and the largest of them."""
    noise = torch.randn(
        len(LENGTHS), max(LENGTHS), generator=torch.Generator().manual_seed(0)
    )
    batches = [(noise, torch.tensor(LENGTHS)), (noise[:1], None)]
    differences, sizes = [], []
    for waveforms, lengths in batches:
        states, frames = masked(waveforms, lengths)
        others, _ = removed(waveforms, lengths)
        valid = frame_mask(frames, states[0].size(1))
        for state, other in zip(states, others, strict=True):
            differences.append((state - other)[valid].abs().max())
            sizes.append(state[valid].abs().max())
    return float(torch.stack(differences).max()), float(torch.stack(sizes).max())
