"""Figures in files, without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def pyplot() -> Any:
    """Import matplotlib only where a figure is drawn."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


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


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure, without matplotlib's version in the file, and close it."""
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot().close(figure)
