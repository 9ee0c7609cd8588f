"""Curves of error against MACs and against time, over methods, budgets and seeds.

Reads the runs that a recipe's run_hj.sh leaves, called ``<method>_<percent>``.
``dense`` is the encoder that all were pruned from, fine-tuned as long.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from pruneasr.environment import environment_section
from pruneasr.figure import pyplot, save_figure
from pruneasr.markdown import markdown_table
from pruneasr.results.collect import REFERENCE_SEC, Metric
from pruneasr.results.runs import Run, read_runs, runs_section
from pruneasr.results.speed import Speeds
from pruneasr.scoring.spread import CAPTION, IN_WORDS, deviation, spread, verdict

DENSE = "dense"
# What [P23] says of pruned encoders against dense, and with how many percent fewer MACs
CLAIMS = (("better than dense", (10, 20, 30)), ("no worse than dense", (40, 50)))
# Whose budgets are percents of all MACs; the others' are of parameters or milliseconds
OF_MACS = ("mac", "sep_mac", "transformer")


@dataclasses.dataclass(frozen=True)
class Point:
    """One method with one budget.

    Attributes:
        method: as in the names of the folders.
        percent: of the constrained cost that was to go.
        runs: one for each seed.
    """

    method: str
    percent: int
    runs: Sequence[Run]

    def errors(self, test_set: str) -> list[float]:
        """Return the percentages of all runs."""
        return [run.errors[test_set] for run in self.runs]

    def num_macs(self) -> float:
        """Return the mean over the runs."""
        return statistics.fmean(run.num_macs for run in self.runs)

    def factor(self, factors: Mapping[Path, float]) -> float:
        """Return the mean real-time factor."""
        return statistics.fmean(factors[run.encoder] for run in self.runs)


def collect_points(
    folder: Path, test_sets: Sequence[str], metric: Metric
) -> list[Point]:
    """Read all points that are finished, the dense one first.

    Args:
        folder: holds ``<method>_<percent>_seed<seed>``.
        test_sets: what was decoded.
        metric: of the task; read as a rate of errors.

    Raises:
        ValueError: There is no dense point to compare with, or a finished run has a
            name of another form.
    """
    points = []
    for name, runs in read_runs(folder, test_sets, metric).items():
        method, _, percent = name.rpartition("_")
        if not (method and percent.isdecimal()):
            raise ValueError(
                f"expected <method>_<percent>_seed<seed> in {folder}, found "
                f"{runs[0].folder.name}; move away what is no point of the curves"
            )
        points.append(Point(method, int(percent), runs))
    points.sort(key=lambda point: (point.percent, point.method))
    if not points or points[0].method != DENSE:
        raise ValueError(
            f"expected at least {folder}/{DENSE}_0_seed1, finished; run run_hj.sh first"
        )
    return points


def curves_markdown(
    title: str,
    commands: Sequence[str],
    points: Sequence[Point],
    speeds: Speeds[Path],
    test_sets: Sequence[str],
    metric: Metric,
) -> str:
    """Return RESULTS_HJ.md.

    Args:
        title: of the page.
        commands: how the recipe was called.
        points: the dense one first.
        speeds: by encoder directory.
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
        parameters = statistics.fmean(run.num_parameters for run in point.runs)
        time = point.factor(speeds.factors)
        cells = [
            point.method,
            str(point.percent),
            " ".join(str(run.seed) for run in point.runs),
            f"{parameters / 1e6:.3f}",
            f"{point.num_macs() / 1e9:.3f}",
            f"{100 * point.num_macs() / dense.num_macs():.1f}",
            f"{time:.5f}",
            f"{100 * time / dense.factor(speeds.factors):.1f}",
        ]
        for test_set in test_sets:
            mine = point.errors(test_set)
            against = "" if point is dense else verdict(mine, dense.errors(test_set))
            cells += [spread(mine), against]
        rows.append(cells)
    note = (
        "`size`, `mac` and `sep_mac` remove that share of the parameters, of the MACs, "
        "of the MACs of convolutions and Transformer each; `transformer` that share of "
        "all MACs without touching the convolutions, `latency` that share of the "
        f"milliseconds on one machine. {speeds.note(test_sets[0])} Mean over seeds, "
        f"plus-minus the sample standard deviation. {CAPTION} "
        "`dense` is the teacher, fine-tuned as long. MACs are those of "
        f"{REFERENCE_SEC:g} s.{_other_lengths(points)} "
        f"The figures are of {test_sets[0]}."
    )
    claims = "\n".join(_claims(points, test_set) for test_set in test_sets)
    return (
        f"# {title}\n\n<!-- Generated by pruneasr.bin.hj_results; do not edit. -->\n\n"
        + environment_section(commands)
        + "\n"
        + markdown_table(columns, rows)
        + f"\n{claims}\n{note}\n\n"
        "![error against MACs](figures/hj.png)\n"
        "![error against time](figures/hj_time.png)\n\n"
        + runs_section(
            [run for point in points for run in point.runs],
            speeds.factors,
            test_sets,
            metric,
            probes={},
        )
    )


def _other_lengths(points: Sequence[Point]) -> str:
    """Say what is left of the MACs of the budgets, where the table has others."""
    found = []
    for point in points:
        lengths = {run.reference_sec for run in point.runs}
        if point.method == DENSE or lengths <= {None, REFERENCE_SEC}:
            continue
        left = statistics.fmean(run.macs_left for run in point.runs)
        said = ", ".join(f"{length:g}" for length in lengths if length is not None)
        found.append(f"`{point.method}` {point.percent}: {left:.1f} % at {said} s")
    if not found:
        return ""
    return f" Left of the MACs of the length that the budget had: {'; '.join(found)}."


def _claims(points: Sequence[Point], test_set: str) -> str:
    """Say what was found of each claim of [P23], and of pruning convolutions too.

    The claims are of computation, so methods with other budgets are no part of them.
    """
    errors = {(point.method, point.percent): point.errors(test_set) for point in points}
    methods = sorted({point.method for point in points} - {DENSE})
    of_macs = [method for method in methods if method in OF_MACS]
    lines = []
    for claim, percents in CLAIMS:
        dense = dict.fromkeys(percents, (DENSE, 0))
        said = f"- [P23]: {claim} with {_listed(percents)} fewer MACs"
        lines += _under(said, [_against(errors, method, dense) for method in of_macs])
    transformer = {p: (method, p) for method, p in errors if method == "transformer"}
    lines += _under(
        "- convolutions pruned too, with equal MACs",
        [_against(errors, m, transformer) for m in of_macs if m != "transformer"],
    )
    for method in (method for method in methods if method not in OF_MACS):
        mine = [point for point in points if point.method == method]
        left = [100 * point.num_macs() / points[0].num_macs() for point in mine]
        dense = dict.fromkeys([point.percent for point in mine], (DENSE, 0))
        said = ", ".join(f"{percent:.0f}" for percent in left)
        lines += _under(
            f"- no part of these claims, for its budget is not of MACs: {said} % of "
            f"them left at {_listed([*dense])}",
            [_against(errors, method, dense)],
        )
    return f"On {test_set}:\n\n" + "\n".join(lines) + "\n" if lines else ""


def _under(head: str, lines: Sequence[str]) -> list[str]:
    """Return lines below their head; nothing if there are none."""
    found = [f"  {line}" for line in lines if line]
    return [head, *found] if found else []


def _against(
    errors: Mapping[tuple[str, int], Sequence[float]],
    method: str,
    others: Mapping[int, tuple[str, int]],
) -> str:
    """Return the line of a comparison: each verdict with its percents; or nothing.

    Args:
        errors: method and percent -> errors of all seeds.
        method: ours.
        others: percent -> what ours is compared with there.
    """
    by_verdict: dict[str, list[int]] = {word: [] for word in IN_WORDS}
    for percent, other in others.items():
        if (method, percent) in errors:
            found = verdict(errors[method, percent], errors[other])
            by_verdict[found].append(percent)
    percents = sorted(percent for found in by_verdict.values() for percent in found)
    if not percents:
        return ""
    (against,) = {name for name, _ in others.values()}
    outcome = "; ".join(
        f"{IN_WORDS[word]} at {_listed(found)}"
        for word, found in by_verdict.items()
        if found
    )
    return f"- `{method}` against `{against}` at {_listed(percents)}: {outcome}"


def _listed(percents: Sequence[int]) -> str:
    return f"{', '.join(map(str, percents))} %"


def plot_against_macs(
    points: Sequence[Point], test_set: str, metric: Metric, path: Path
) -> None:
    """Draw the errors of every method against the MACs that are left."""
    left = [point.num_macs() for point in points]
    _plot(points, left, "MACs", test_set, metric, path)


def plot_against_time(
    points: Sequence[Point],
    factors: Mapping[Path, float],
    test_set: str,
    metric: Metric,
    path: Path,
) -> None:
    """Draw the errors of every method against the time that is left."""
    left = [point.factor(factors) for point in points]
    _plot(points, left, "measured time", test_set, metric, path)


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
        statistics.fmean(dense.errors(test_set)),
        color="black",
        linestyle=":",
        label=DENSE,
    )
    for method in sorted({point.method for point in points} - {DENSE}):
        mine = [i for i, point in enumerate(points) if point.method == method]
        axis.errorbar(
            [100 * left[i] / left[0] for i in mine],
            [statistics.fmean(points[i].errors(test_set)) for i in mine],
            [deviation(points[i].errors(test_set)) for i in mine],
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
