"""The papers' figure: score against parameters, ours beside the published encoders.

Ours have a panel of their own: their scores are those of other sets, and maybe of fewer
tasks, so a point of one panel says nothing beside a point of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from pruneasr.figure import pyplot, save_figure
from pruneasr.scoring.spread import deviation
from pruneasr.superb.published import PUBLISHED
from pruneasr.superb.score import superb_score, task_score, whole_tasks
from pruneasr.superb.tasks import TASKS


@dataclass(frozen=True)
class Probed:
    """One encoder and what its probes reached.

    Attributes:
        millions: Its parameters.
        metrics: Of SUPERB and others, in percent.
    """

    millions: float
    metrics: Mapping[str, float]


Encoders = Mapping[str, Sequence[Probed]]
"""Name -> the encoders that go by it, one for each seed."""


def scores_section(encoders: Encoders, path: Path) -> str:
    """Draw the figure if any task was run on all encoders; return what a report says.

    Args:
        encoders: Ours.
        path: Of the figure, in the folder ``figures`` beside the report.
    """
    tasks = common_tasks(encoders)
    if not tasks:
        return (
            "No figure of scores against parameters: no task was run on all of these "
            "encoders.\n"
        )
    plot_scores(encoders, tasks, path)
    named = " ".join(tasks)
    unplaced = [name for name, row in PUBLISHED.items() if row.millions is None]
    return (
        f"![score against parameters](figures/{path.name})\n\n"
        "Left: published results on the official sets, superb_s of all ten tasks; not "
        f"drawn: {', '.join(unplaced)}, of unprinted size. Right: our encoders, on "
        "the data that the probes' report names; the score is the formula of superb_s "
        f"over the tasks that were run on all of them ({named}), mean ± standard "
        "deviation over seeds. A difference looks as large as on the left. It compares "
        "these encoders with each other only, unless all ten tasks were run on the "
        "official sets.\n"
    )


def common_tasks(encoders: Encoders) -> list[str]:
    """Return the tasks of which every encoder has all metrics."""
    found = [whole_tasks(one.metrics) for row in encoders.values() for one in row]
    return [task for task in TASKS if all(task in tasks for tasks in found)]


def _mean_of(row: Sequence[Probed], tasks: Sequence[str]) -> tuple[float, float, float]:
    """Return the mean size and score of an encoder's seeds, and the score's spread."""
    scores = [fmean(task_score(task, one.metrics) for task in tasks) for one in row]
    return fmean(one.millions for one in row), fmean(scores), deviation(scores)


def plot_scores(encoders: Encoders, tasks: Sequence[str], path: Path) -> None:
    """Draw scores against parameters: left published ones, right ours over tasks."""
    published = {
        name: (row.millions, superb_score(row.metrics), 0.0)
        for name, row in PUBLISHED.items()
        if row.millions is not None
    }
    ours = {name: _mean_of(row, tasks) for name, row in encoders.items()}
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.5))
    for axis, means in zip(axes, (published, ours), strict=True):
        plot_means(axis, means)
        axis.set(xlabel="parameters, M", xlim=(0, None))
        axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    _as_high_as(axes[0], axes[1])
    axes[0].set(title="published: official sets, ten tasks", ylabel="superb_s")
    axes[1].set(
        title=f"ours, on the data of the report: {' '.join(tasks)}",
        ylabel="formula of superb_s over these tasks",
    )
    save_figure(figure, path)


def plot_means(axis: Any, means: Mapping[str, tuple[float, float, float]]) -> None:
    """Draw x, y and the spread of y of each name, in a colour and mark of its own.

    Points of nearly one x stand side by side, so that they do not hide each other; the
    figure then says so. One without a spread has no bars, nor has its mark in the
    legend.
    """
    xs = [x for x, _, _ in means.values()]
    places = side_by_side(xs)
    if places != xs:
        note = "points of nearly one size are drawn side by side"
        where = {"transform": axis.transAxes, "ha": "right", "va": "bottom"}
        axis.text(0.99, 0.01, note, fontsize=6, **where)  # a title is its caller's
    for k, (name, (_, y, spread)) in enumerate(means.items()):
        axis.errorbar(
            places[k],
            y,
            spread or None,
            color=f"C{k % 10}",
            marker="osD^"[k // 10 % 4],  # ten colours, then another mark
            linestyle="none",
            capsize=3,
            label=name,
        )


def side_by_side(xs: Sequence[float]) -> list[float]:
    """Return xs; those within 1 % of the range of a neighbour get 1 % between them."""
    gap = 0.01 * (max(xs) - min(xs)) if xs else 0.0
    order = sorted(range(len(xs)), key=lambda k: xs[k])
    groups: list[list[int]] = []
    for k in order:
        if groups and xs[k] - xs[groups[-1][-1]] < gap:
            groups[-1].append(k)
        else:
            groups.append([k])
    places = list(xs)
    for group in groups:
        middle = sum(xs[k] for k in group) / len(group)
        for i, k in enumerate(group):
            places[k] = middle + gap * (i - (len(group) - 1) / 2)
    return places


def _as_high_as(published: Any, ours: Any) -> None:
    """Let the axis of ours span as many points, that few of them do not look many."""
    low, high = published.get_ylim()
    middle, half = sum(ours.get_ylim()) / 2, (high - low) / 2
    if ours.get_ylim()[1] - ours.get_ylim()[0] < high - low:
        ours.set_ylim(middle - half, middle + half)
