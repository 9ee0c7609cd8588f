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
from pruneasr.superb.search import edge_of
from pruneasr.superb.tasks import TASKS

SCORES = "test/score.json"
NO_TOTAL = (
    "superb_s is not given: its scale is that of the official sets, and these are "
    "others, as named below. The figure applies its formula to them."
)
FIGURE = "superb.png"


Scores = dict[str, dict[str, float]]
"""Metric -> seed -> value."""


def read_scores(encoder: Path) -> Scores:
    """Return the scores of an encoder, the mean over the splits of a task.

    A seed of which a split is not scored yet is left out, and that is printed.

    Args:
        encoder: ``exp/<name>``, with ``<task>/<split>_seed<seed>/test/score.json``.
    """
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for path in sorted(encoder.glob(f"*/*_seed*/{SCORES}")):
        folder = path.parents[1]
        key = folder.parent.name, folder.name.rpartition("_seed")[2]
        metrics = json.loads(path.read_text("utf-8"))["metrics"]
        found.setdefault(key, []).append(metrics)
    scores: Scores = {}
    for (task, seed), splits in found.items():
        if len(splits) < TASKS[task].splits:
            print(
                f"{encoder}: left out {task} of seed {seed}: {len(splits)} of "
                f"{TASKS[task].splits} splits are scored; run the stages train to score"
            )
            continue
        for metric in splits[0]:
            mean = fmean(split[metric] for split in splits)
            scores.setdefault(metric, {})[seed] = mean
    return scores


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
        commands: How the results were made, oldest first.
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
    scores = {encoder: row for encoder, row in scores.items() if row}
    metrics = _in_order({metric for row in scores.values() for metric in row})
    if not metrics:
        raise ValueError(f"expected scores below {exp}, found none; run stage score")
    called = [f"    {command}" for command in commands]
    millions = {encoder: facts[encoder]["parameters"] / 1e6 for encoder in facts}
    columns = ["encoder", "params M", *(metric.replace("_", " ") for metric in metrics)]
    rows = [
        [encoder.name, f"{millions[encoder]:.3f}", *(_cell(row, m) for m in metrics)]
        for encoder, row in scores.items()
    ]
    probed = {
        encoder.name: _probed(millions[encoder], row) for encoder, row in scores.items()
    }
    tasks = dict.fromkeys(metric.partition("_")[0] for metric in metrics)
    lines = [
        *(f"# {title}", "", *called, "", NO_TOTAL, ""),
        markdown_table(columns, rows),
        *("Percent; several seeds: mean ± standard deviation.", ""),
        *(_about(task, data) for task in tasks),
        *("", scores_section(probed, figures / FIGURE)),
        "## What was searched, on the development sets",
        *(f"\n### {encoder.name}\n\n{_search_section(encoder)}" for encoder in scores),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _probed(millions: float, row: Scores) -> list[Probed]:
    """Return what each seed reached; of QbE, which has but one, the same in all."""
    means = {metric: fmean(values.values()) for metric, values in row.items()}
    return [
        Probed(millions, {m: row[m].get(seed, means[m]) for m in row})
        for seed in sorted({seed for values in row.values() for seed in values})
    ]


def _in_order(metrics: set[str]) -> list[str]:
    # by task; the metric that decides first
    second = ("asr_cer", "sd_der_collar", "sf_cer")
    by_importance = sorted(metrics, key=lambda metric: (metric in second, metric))
    return [m for task in TASKS for m in by_importance if m.partition("_")[0] == task]


def _about(task: str, data: Path) -> str:
    about = (data / task / "about").read_text(encoding="utf-8").strip()
    return f"- {task.upper()}, {TASKS[task].title}: {about}"


def _search_section(encoder: Path) -> str:
    searches = read_searches(encoder)
    return _search_table(searches) + _edges(searches)


def _edges(searches: Sequence[Mapping[str, Any]]) -> str:
    """Warn of the learning rates that were chosen at an edge of what was tried."""
    runs: dict[str, list[str]] = {}
    for search in searches:
        if "learning_rate" in search["chosen"]:
            edge = edge_of(search)
            if edge is not None:
                runs.setdefault(edge, []).append(search["run"])
    return "".join(
        f"\n**The {edge} learning rate that was tried is the best** in "
        f"{', '.join(names)}: a better one may lie beyond.\n"
        for edge, names in runs.items()
    )


def _search_table(searches: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for search in searches:
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


def _cell(row: Scores, metric: str) -> str:
    return spread(list(row[metric].values()), 2) if metric in row else "-"
