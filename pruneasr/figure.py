"""Figures in files, without a display."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def pyplot() -> Any:
    """Import matplotlib only where a figure is drawn."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def plot_means(axis: Any, means: Mapping[str, tuple[float, float, float]]) -> None:
    """Draw x, y and the spread of y of each name, in a colour and mark of its own."""
    for k, (name, (x, y, spread)) in enumerate(means.items()):
        axis.errorbar(
            x,
            y,
            spread,
            color=f"C{k % 10}",
            marker="osD^"[k // 10 % 4],  # ten colours, then another mark
            linestyle="none",
            capsize=3,
            label=name,
        )


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure, without matplotlib's version in the file, and close it."""
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot().close(figure)
