"""Put the results of all encoders and tasks into RESULTS.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pruneasr.markdown import markdown_table
from pruneasr.scoring.spread import spread
from pruneasr.superb.figure import Probed, scores_section
from pruneasr.superb.tasks import TASKS

SCORES = "test/score.json"
NO_TOTAL = (
    "superb_s is not given: its scale is that of the official sets, and these are "
    "others, as named below. The figure applies its formula to them."
)
FIGURE = "superb.png"


def read_scores(encoder: Path) -> dict[str, list[float]]:
    """Return metric -> one value per seed, the mean over the splits of the task.

    Args:
        encoder: ``exp/<name>``, with ``<task>/<split>_seed<seed>/test/score.json``.
    """
    values: dict[str, dict[str, list[float]]] = {}
    for path in sorted(encoder.glob(f"*/*_seed*/{SCORES}")):
        seed = path.parents[1].name.rpartition("_seed")[2]
        for metric, value in json.loads(path.read_text("utf-8"))["metrics"].items():
            values.setdefault(metric, {}).setdefault(seed, []).append(value)
    return {
        metric: [fmean(splits) for splits in seeds.values()]
        for metric, seeds in values.items()
    }


def read_searches(encoder: Path) -> list[dict[str, Any]]:
    """Return every search.json of an encoder, with its folder as ``run``."""
    return [
        {"run": str(path.parent.relative_to(encoder)), **json.loads(path.read_text())}
        for path in sorted(encoder.glob("*/*_seed*/search.json"))
    ]


def results_markdown(
    title: str, commands: Sequence[str], exp: Path, data: Path, figures: Path
) -> str:
    """Return the text of RESULTS.md, and draw its figure.

    Args:
        title: First line.
        commands: How the results were made, oldest first; each is said once.
        exp: Folder with one folder per encoder.
        data: Folder of the tasks' data, each with a line in ``about``.
        figures: Folder of the figure, beside RESULTS.md.

    Raises:
        ValueError: Nothing was scored.
    """
    facts = {
        path.parent: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(exp.glob("*/encoder.json"))
    }
    scores = {encoder: read_scores(encoder) for encoder in facts}
    metrics = _in_order({metric for row in scores.values() for metric in row})
    if not metrics:
        raise ValueError(f"expected scores below {exp}, found none; run stage score")
    called = [f"    {command}" for command in dict.fromkeys(commands)]
    millions = {encoder: facts[encoder]["parameters"] / 1e6 for encoder in facts}
    columns = ["encoder", "params M", *(metric.replace("_", " ") for metric in metrics)]
    rows = [
        [encoder.name, f"{millions[encoder]:.3f}", *(_cell(row, m) for m in metrics)]
        for encoder, row in scores.items()
    ]
    probed = {
        encoder.name: [Probed(millions[encoder], {m: fmean(row[m]) for m in row})]
        for encoder, row in scores.items()
    }
    tasks = dict.fromkeys(metric.partition("_")[0] for metric in metrics)
    lines = [
        *(f"# {title}", "", *called, "", NO_TOTAL, ""),
        markdown_table(columns, rows),
        *("Percent; several seeds: mean ± standard deviation.", ""),
        *(_about(task, data) for task in tasks),
        *("", scores_section(probed, figures / FIGURE)),
        "## What was searched, on the development sets",
        *(f"\n### {encoder.name}\n\n{_search_table(encoder)}" for encoder in facts),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _in_order(metrics: set[str]) -> list[str]:
    # by task; metrics of SUPERB before others of ours
    ours = ("asr_cer", "sd_der_collar", "sf_cer")
    by_importance = sorted(metrics, key=lambda metric: (metric in ours, metric))
    return [m for task in TASKS for m in by_importance if m.partition("_")[0] == task]


def _about(task: str, data: Path) -> str:
    about = (data / task / "about").read_text(encoding="utf-8").strip()
    return f"- {task.upper()}, {TASKS[task].title}: {about}"


def _search_table(encoder: Path) -> str:
    rows = []
    for search in read_searches(encoder):
        for entry in search["tried"]:
            knob = "layer" if "layer" in entry else "learning_rate"
            value = "-"
            if entry["dev"] is not None:
                metric, number = next(iter(entry["dev"].items()))
                value = f"{metric.replace('_', ' ')} {number:.2f}"
            chosen = entry[knob] == search["chosen"][knob]
            name = f"{knob.replace('_', ' ')} {entry[knob]:g}"
            rows.append([search["run"], name, value, "yes" if chosen else ""])
    return markdown_table(["run", "tried", "dev", "chosen"], rows)


def _cell(row: Mapping[str, Sequence[float]], metric: str) -> str:
    return spread(row[metric], 2) if metric in row else "-"
