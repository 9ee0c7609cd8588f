"""Curves of error against MACs and against time, over methods, budgets and seeds.

Reads what a recipe's run_hj.sh leaves: folders ``<method>_<percent>_seed<seed>`` with
``pruned`` (the encoder) and ``tuned`` (its fine-tuning). ``dense`` is the encoder that
all were pruned from, fine-tuned as long.
"""

from __future__ import annotations

import dataclasses
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from pruneasr.encoder.checkpoint import load_config
from pruneasr.figure import pyplot, save_figure
from pruneasr.markdown import markdown_table
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.widths import config_widths
from pruneasr.results.collect import REFERENCE_SEC, Metric, read_score
from pruneasr.results.environment import environment_section
from pruneasr.scoring.spread import deviation, spread, verdict

FOLDER = re.compile(r"(?P<method>[a-z_]+)_(?P<percent>\d+)_seed(?P<seed>\d+)")
DENSE = "dense"


@dataclasses.dataclass(frozen=True)
class Point:
    """One method with one budget.

    Attributes:
        method: as in the names of the folders.
        percent: of the constrained cost that was to go.
        encoders: directories, one for each seed.
        num_parameters, num_macs: of the encoder at 10 s, one for each seed.
        errors: test set -> errors in percent, one for each seed.
    """

    method: str
    percent: int
    encoders: tuple[Path, ...]
    num_parameters: tuple[float, ...]
    num_macs: tuple[float, ...]
    errors: dict[str, tuple[float, ...]]


def collect_points(
    folder: Path, dense: Path, test_sets: Sequence[str], metric: Metric
) -> list[Point]:
    """Read all points that are finished, the dense one first.

    Args:
        folder: holds ``<method>_<percent>_seed<seed>``.
        dense: encoder directory of the teacher.
        test_sets: what was decoded.
        metric: of the task; read as a rate of errors.

    Raises:
        ValueError: There is no dense point to compare with.
    """
    found: dict[tuple[int, str], list[tuple[Path, Path]]] = {}
    for path in sorted(folder.glob("*_seed*")):
        match = FOLDER.fullmatch(path.name)
        if match is None or not (path / ".tuned").exists():
            continue
        encoder = dense if match["method"] == DENSE else path / "pruned"
        (experiment,) = (path / "tuned").glob(f"*_pruned_seed{match['seed']}")
        key = int(match["percent"]), match["method"]
        found.setdefault(key, []).append((encoder, experiment))
    if (0, DENSE) not in found:
        raise ValueError(
            f"expected at least {folder}/{DENSE}_0_seed1, finished; run run_hj.sh first"
        )
    return [
        _point(method, percent, runs, test_sets, metric)
        for (percent, method), runs in sorted(found.items())
    ]


def _point(
    method: str,
    percent: int,
    runs: Sequence[tuple[Path, Path]],
    test_sets: Sequence[str],
    metric: Metric,
) -> Point:
    widths = [(c, config_widths(c)) for c in (load_config(e) for e, _ in runs)]
    return Point(
        method,
        percent,
        tuple(encoder for encoder, _ in runs),
        tuple(float(parameters(c, w).total) for c, w in widths),
        tuple(float(macs(c, w, REFERENCE_SEC).total) for c, w in widths),
        {
            test_set: tuple(
                metric.error(read_score(e, test_set, metric.file)[metric.key])
                for _, e in runs
            )
            for test_set in test_sets
        },
    )


def curves_markdown(
    title: str,
    commands: Sequence[str],
    points: Sequence[Point],
    seconds: Mapping[Path, float],
    test_sets: Sequence[str],
    metric: Metric,
) -> str:
    """Return RESULTS_HJ.md.

    Args:
        title: of the page.
        commands: how the recipe was called.
        points: the dense one first.
        seconds: encoder directory -> measured, per second of audio.
        test_sets: what was decoded.
        metric: of the task.
    """
    columns = ["method", "asked %", "seeds", "params M", "MACs G, 10 s", "MACs left %"]
    columns += ["RTF", "time left %"]
    for test_set in test_sets:
        columns += [f"{metric.error_name} % {test_set}", "against dense"]
    dense = points[0]
    rows = []
    for point in points:
        left = statistics.fmean(point.num_macs) / statistics.fmean(dense.num_macs)
        cells = [
            point.method,
            str(point.percent),
            str(len(point.num_macs)),
            f"{statistics.fmean(point.num_parameters) / 1e6:.3f}",
            f"{statistics.fmean(point.num_macs) / 1e9:.3f}",
            f"{100 * left:.1f}",
            f"{_time(point, seconds):.5f}",
            f"{100 * _time(point, seconds) / _time(dense, seconds):.1f}",
        ]
        for test_set in test_sets:
            cells += [
                spread(point.errors[test_set]),
                verdict(point.errors[test_set], dense.errors[test_set]),
            ]
        rows.append(cells)
    note = (
        "`size`, `mac` and `sep_mac` remove that share of the parameters, of the MACs, "
        "of the MACs of convolutions and Transformer each; `transformer` that share of "
        "all MACs without touching the convolutions, `latency` that share of the "
        "milliseconds on one machine. RTF is measured, all encoders in turn on the "
        f"audio of {test_sets[0]}. Mean over seeds, plus-minus the "
        "sample standard deviation. `equal`: within two standard errors of the "
        "difference. `dense` is the teacher, fine-tuned as long."
    )
    return (
        f"# {title}\n\n<!-- Generated by pruneasr.bin.hj_results; do not edit. -->\n\n"
        + environment_section(commands)
        + "\n"
        + markdown_table(columns, rows)
        + f"\n{note}\n\n![error against MACs](figures/hj.png)\n"
        "![error against time](figures/hj_time.png)\n"
    )


def plot_against_macs(
    points: Sequence[Point], test_set: str, metric: Metric, path: Path
) -> None:
    """Draw the errors of every method against the MACs that are left."""
    left = [statistics.fmean(point.num_macs) for point in points]
    _plot(points, left, "MACs", test_set, metric, path)


def plot_against_time(
    points: Sequence[Point],
    seconds: Mapping[Path, float],
    test_set: str,
    metric: Metric,
    path: Path,
) -> None:
    """Draw the errors of every method against the time that is left."""
    left = [_time(point, seconds) for point in points]
    _plot(points, left, "measured time", test_set, metric, path)


def _time(point: Point, seconds: Mapping[Path, float]) -> float:
    return statistics.fmean(seconds[encoder] for encoder in point.encoders)


def _plot(
    points: Sequence[Point],
    left: Sequence[float],
    what: str,
    test_set: str,
    metric: Metric,
    path: Path,
) -> None:
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(6, 4))
    dense = points[0]
    axis.axhline(
        statistics.fmean(dense.errors[test_set]),
        color="black",
        linestyle=":",
        label=DENSE,
    )
    for method in sorted({point.method for point in points} - {DENSE}):
        mine = [i for i, point in enumerate(points) if point.method == method]
        axis.errorbar(
            [100 * left[i] / left[0] for i in mine],
            [statistics.fmean(points[i].errors[test_set]) for i in mine],
            [deviation(points[i].errors[test_set]) for i in mine],
            marker="o",
            capsize=3,
            label=method,
        )
    axis.set(
        xlabel=f"{what} left, % of dense",
        ylabel=f"{metric.error_name} %, {test_set}",
    )
    axis.legend()
    save_figure(figure, path)
