"""Figures of an ablation: gates over the training, what is left, error against size."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from pruneasr.figure import plot_means, pyplot, save_figure
from pruneasr.pruning.report import History
from pruneasr.results.ablation import FULL, Variants, mean_size
from pruneasr.results.collect import Metric
from pruneasr.scoring.spread import deviation

# The two that the figure of the gates compares
STE = {FULL: "with STE", "no_ste": "without STE"}
BRANCHES = {"gate_mha_layer": "mean of z_MHA", "gate_ffn_layer": "mean of z_FFN"}
WIDTHS = ("qk", "vo", "ffn")


def plot_all(
    variants: Variants,
    histories: Mapping[str, Sequence[History]],
    test_set: str,
    metric: Metric,
    figures: Path,
) -> None:
    """Draw all figures of the ablation.

    Args:
        variants: with all their runs.
        histories: as of :func:`plot_gates`.
        test_set: whose errors are drawn.
        metric: what they are.
        figures: folder that receives ablation_{gates,layers,errors}.png.
    """
    plot_gates(histories, figures / "ablation_gates.png")
    plot_layers(variants, figures / "ablation_layers.png")
    plot_errors(variants, test_set, metric, figures / "ablation_errors.png")


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


def plot_errors(variants: Variants, test_set: str, metric: Metric, path: Path) -> None:
    """Draw the error of every variant against its parameters."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(8, 5))
    errors = {
        variant: [run.errors[test_set] for run in runs]
        for variant, runs in variants.items()
    }
    means = {
        variant: (
            mean_size(variants[variant]) / 1e6,
            statistics.fmean(values),
            deviation(values),
        )
        for variant, values in errors.items()
    }
    plot_means(axis, means)
    axis.set(xlabel="parameters, M", ylabel=f"{metric.error_name} %, {test_set}")
    axis.legend(fontsize=8, ncols=2)
    save_figure(figure, path)
