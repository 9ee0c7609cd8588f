"""superb_s: one number for all ten tasks.

    superb_s = mean over tasks of 1000 (m - m_fbank) / (m_sota - m_fbank)

0 is the score of filter banks, 1000 that of WavLM Large; a task with two metrics (SF)
counts as the mean of both. It is the score of the SUPERB challenge (Feng et al., SLT
2022, *SUPERB @ SLT 2022*), by which [W23] compares. The two ends are results on the
full official sets: results on anything else have no such score.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import fmean

import yaml

from pruneasr.markdown import markdown_table
from pruneasr.superb.published import FBANK, METRICS, WAVLM_LARGE

METRICS_OF = {
    task: [name for name in METRICS if METRICS[name] == task]
    for task in METRICS.values()
}
"""Task -> its metrics that count, in the order of [W23] Table 1."""


def metric_score(metric: str, value: float) -> float:
    """Return where a value stands between filter banks (0) and WavLM Large (1000).

    Raises:
        ValueError: The metric is unknown.
    """
    if metric not in METRICS:
        raise ValueError(f"expected one of {list(METRICS)}, found metric {metric!r}")
    low, high = FBANK.metrics[metric], WAVLM_LARGE.metrics[metric]
    return 1000 * (value - low) / (high - low)


def task_scores(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the score of every task.

    Args:
        metrics: A value for each of ``METRICS``, in percent.

    Raises:
        ValueError: A metric is missing, unknown, or no percentage.
    """
    missing = [name for name in METRICS if name not in metrics]
    extra = sorted(set(metrics) - set(METRICS))
    if missing or extra:
        raise ValueError(
            f"expected a value for each of {list(METRICS)}; missing {missing}, unknown "
            f"{extra}"
        )
    _refuse_fractions(metrics)
    return {task: task_score(task, metrics) for task in METRICS_OF}


def task_score(task: str, metrics: Mapping[str, float]) -> float:
    """Return the score of one task, the mean over its metrics."""
    return fmean(metric_score(name, float(metrics[name])) for name in METRICS_OF[task])


def whole_tasks(metrics: Collection[str]) -> list[str]:
    """Return the tasks whose metrics are all there."""
    return [t for t, names in METRICS_OF.items() if all(n in metrics for n in names)]


def _refuse_fractions(metrics: Mapping[str, float]) -> None:
    found = [(m, metrics[m]) for m in METRICS if _is_fraction(m, metrics[m])]
    if found:
        raise ValueError(
            "expected percentages, MTWV times 100 too; found what is plausible as "
            f"fractions only, {found}; multiply by 100"
        )


def _is_fraction(metric: str, value: float) -> bool:
    """Return whether a value makes sense as a fraction, but not as a percentage.

    No more than 1, and below half of the lower end of the scale, the error of WavLM
    Large or the accuracy of filter banks, but not if taken a hundredfold. So 0 is no
    fraction, nor is speaker identification at chance, 0.08 %.
    """
    low = min(FBANK.metrics[metric], WAVLM_LARGE.metrics[metric]) / 2
    return value <= min(1, low) and 100 * value >= low


def superb_score(metrics: Mapping[str, float]) -> float:
    """Return superb_s.

    Raises:
        ValueError: As in ``task_scores``.
    """
    return fmean(task_scores(metrics).values())


def read_results(path: Path) -> dict[str, dict[str, float]]:
    """Read a YAML file: ``system: {ks_acc: 96.5, ...}``, all metrics in percent.

    Raises:
        ValueError: The file is missing or has another form.
    """
    if not path.is_file():
        raise ValueError(f"expected a file of results at {path}, found none")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: expected YAML, found {error}") from error
    if not isinstance(content, dict) or not all(
        isinstance(row, dict)
        and all(isinstance(value, int | float) for value in row.values())
        for row in content.values()
    ):
        raise ValueError(
            f"{path}: expected `system: {{metric: number, ...}}`, found {content!r}"
        )
    return {str(name): dict(row) for name, row in content.items()}


def score_table(
    results: Mapping[str, Mapping[str, float]],
    printed: Mapping[str, float | None],
    notes: Mapping[str, str],
) -> str:
    """Return a Markdown table: a column for each task, the total, what was printed.

    Args:
        results: System -> metrics.
        printed: System -> the score that its source prints; missing or None: ``-``.
        notes: System -> what is said below the table.

    Raises:
        ValueError: As in ``task_scores``; the message names the system.
    """
    columns = ["system", *METRICS_OF, "superb_s", "printed"]
    rows = []
    for name, metrics in results.items():
        try:
            scores = task_scores(metrics)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        values = [*scores.values(), fmean(scores.values()), printed.get(name)]
        cells = ["-" if value is None else f"{value:.1f}" for value in values]
        rows.append([name, *cells])
    said = [f"\n{name}: {note}.\n" for name, note in notes.items() if note]
    return "".join([markdown_table(columns, rows), *said])
