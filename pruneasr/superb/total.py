"""The part of a report on superb_s: the score of every task and the total, or why not.

The scale is that of the official sets. Whoever names conf/official says that these are
in data; what speaks against it is that stage data made them, which has excerpts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from pruneasr.markdown import markdown_table
from pruneasr.scoring.spread import spread
from pruneasr.superb.figure import Encoders
from pruneasr.superb.runs import Scores
from pruneasr.superb.score import METRICS_OF, task_score, whole_tasks
from pruneasr.superb.tasks import TASKS

OFFICIAL = "official"
"""Name of the folder of configurations for the official sets."""
MADE_HERE = ".done"
"""What stage data leaves in the folder of a task; official sets come from elsewhere."""


def total_section(
    scores: Mapping[str, Scores],
    probed: Encoders,
    config_dir: Path | None,
    data: Path,
) -> str:
    """Return what a report says of superb_s.

    Args:
        scores: Encoder -> what it reached.
        probed: The same, as the figure takes it.
        config_dir: By which its probes were trained.
        data: Folder of the tasks' data.
    """
    head = "## superb_s\n\n"
    reasons = _not_official(scores, config_dir, data)
    if reasons:
        return (
            f"{head}Not given: its scale is that of the official sets and of their "
            f"probes; {'; '.join(reasons)}.\n"
        )
    rows, missing = [], []
    for name, row in scores.items():
        lacking = [task for task in TASKS if task not in whole_tasks(row)]
        total = "-"
        if lacking:
            missing.append(f"{name} was not scored on {' '.join(lacking)}")
        else:
            # not superb_score, which refuses other metrics, as the CER of asr is
            seeds = [one.metrics for one in probed[name]]
            total = spread([fmean(task_score(t, m) for t in TASKS) for m in seeds])
        rows.append([name, *(_task_cell(row, task) for task in TASKS), total])
    why = f"No total: {'; '.join(missing)}.\n" if missing else ""
    return (
        f"{head}{markdown_table(['encoder', *TASKS, 'superb_s'], rows)}\n"
        "Of every metric m 1000 (m - filter banks) / (WavLM Large - filter banks), of "
        "SF the mean of two; superb_s is the mean over the ten tasks, to be compared "
        "with the table of `python -m pruneasr.bin.superb score`. A task with fewer "
        f"seeds than others counts with its mean. {why}"
    ).rstrip() + "\n"


def _not_official(
    scores: Mapping[str, Scores], config_dir: Path | None, data: Path
) -> list[str]:
    """Return why these are no results on the official sets."""
    reasons = []
    if config_dir is not None and config_dir.name != OFFICIAL:
        reasons.append(f"these probes are those of {config_dir}, not conf/{OFFICIAL}")
    metrics = {metric for row in scores.values() for metric in row}
    excerpts = [
        task
        for task in TASKS
        if metrics & set(METRICS_OF[task]) and (data / task / MADE_HERE).exists()
    ]
    if excerpts:
        reasons.append(
            f"the sets of {' '.join(excerpts)} are what stage data made of others"
        )
    return reasons


def _task_cell(row: Scores, task: str) -> str:
    if task not in whole_tasks(row):
        return "-"
    names = METRICS_OF[task]
    seeds = [{name: row[name][seed] for name in names} for seed in row[names[0]]]
    return spread([task_score(task, metrics) for metrics in seeds])
