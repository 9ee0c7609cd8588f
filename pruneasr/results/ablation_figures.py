"""Figures of an ablation: gates over the training, what is left, errors and times."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from pruneasr.figure import pyplot, save_figure
from pruneasr.pruning.report import History
from pruneasr.results.ablation import FULL, Variants, mean_size
from pruneasr.results.collect import Metric
from pruneasr.scoring.spread import deviation

# The two that the figure of the gates compares
STE = {FULL: "with STE", "no_ste": "without STE"}
BRANCHES = {"gate_mha_layer": "mean of z_MHA", "gate_ffn_layer": "mean of z_FFN"}
WIDTHS = ("qk", "vo", "ffn")


def plot_pruning(
    variants: Variants, histories: Mapping[str, Sequence[History]], figures: Path
) -> None:
    """Draw the figures that need no measurement, so that it is not made in vain.

    Args:
        variants: with all their runs.
        histories: as of :func:`plot_gates`.
        figures: folder that receives ablation_{gates,layers}.png.

    Raises:
        ValueError: as :func:`plot_gates` does.
    """
    plot_gates(histories, figures / "ablation_gates.png")
    plot_layers(variants, figures / "ablation_layers.png")


def plot_gates(histories: Mapping[str, Sequence[History]], path: Path) -> None:
    """Draw the means of z_MHA and z_FFN by epoch, each run thin and their mean thick.

    Args:
        histories: variant of :data:`STE` -> statistics of each of its trainings.
        path: of the figure.

    Raises:
        ValueError: if the trainings of a variant differ in length.
    """
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharex=True, sharey=True)
    for axis, (name, title) in zip(axes, BRANCHES.items(), strict=True):
        for k, (variant, label) in enumerate(STE.items()):
            rows = [history[name] for history in histories.get(variant, [])]
            if not rows:
                continue
            epochs = range(1, len(rows[0]) + 1)
            for row in rows:
                axis.plot(epochs, row, color=f"C{k}", alpha=0.3, linewidth=1)
            means = [statistics.fmean(z) for z in zip(*rows, strict=True)]
            axis.plot(epochs, means, color=f"C{k}", linewidth=2, label=label)
        axis.set(title=title, xlabel="epoch", ylim=(0, 1.05))
        axis.xaxis.get_major_locator().set_params(integer=True)
        if axis.lines:
            axis.legend()
    save_figure(figure, path)


def plot_layers(variants: Variants, path: Path) -> None:
    """Draw the remaining qk, vo and ffn dimensions of every block, mean over seeds."""
    plt = pyplot()
    figure, axes = plt.subplots(
        1, len(WIDTHS), figsize=(12, 1.5 + 0.3 * len(variants)), sharey=True
    )
    num_blocks = max(
        len(run.widths.blocks) for runs in variants.values() for run in runs
    )
    for axis, name in zip(axes, WIDTHS, strict=True):
        # blocks that a student never had stay empty
        table = [
            [
                statistics.fmean(
                    float(getattr(run.widths.blocks[i], name)) for run in runs
                )
                if i < len(runs[0].widths.blocks)
                else float("nan")
                for i in range(num_blocks)
            ]
            for runs in variants.values()
        ]
        image = axis.imshow(table, aspect="auto", cmap="viridis", vmin=0)
        axis.set(title=f"{name} dimensions", xlabel="block")
        axis.set_xticks(range(num_blocks), range(1, num_blocks + 1))
        axis.set_yticks(range(len(variants)), list(variants))
        figure.colorbar(image, ax=axis)
    save_figure(figure, path)


def plot_errors(
    variants: Variants,
    factors: Mapping[Path, float],
    test_set: str,
    metric: Metric,
    path: Path,
) -> None:
    """Draw error and computing time, a row of each for every variant.

    Rings are seeds, the mark their mean, the grey band that of :data:`FULL` and its
    standard deviation. Most variants are of one size, so that their sizes are names of
    rows, not an axis.

    Args:
        variants: with all their runs.
        factors: encoder directory -> its RTF.
        test_set: whose errors are drawn.
        metric: what they are.
        path: of the figure.
    """
    plt = pyplot()
    figure, axes = plt.subplots(
        1, 2, figsize=(10, 1.2 + 0.27 * len(variants)), sharey=True
    )
    values = {
        f"{metric.error_name} %, {test_set}": lambda run: run.errors[test_set],
        "RTF": lambda run: factors[run.encoder],
    }
    for axis, (name, value) in zip(axes, values.items(), strict=True):
        for row, (variant, runs) in enumerate(variants.items()):
            found = [value(run) for run in runs]
            mean, around = statistics.fmean(found), deviation(found)
            axis.plot(found, [row] * len(found), "o", color="C0", fillstyle="none")
            axis.plot(mean, row, "|", color="C0", markersize=14, markeredgewidth=2)
            if variant == FULL:
                axis.axvspan(mean - around, mean + around, color="0.9", zorder=0)
                axis.axvline(mean, color="0.6", linewidth=1, zorder=0)
        axis.set(xlabel=name)
        axis.grid(axis="y", linewidth=0.3)
    names = [f"{v}  {mean_size(runs) / 1e6:.3f} M" for v, runs in variants.items()]
    axes[0].set_yticks(range(len(variants)), names)
    axes[0].invert_yaxis()  # in the order of the table
    save_figure(figure, path)
