"""Put the results of all encoders and tasks into RESULTS.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pruneasr.scoring.spread import spread
from pruneasr.superb.tasks import TASKS

SCORES = "test/score.json"
NO_TOTAL = (
    "superb_s is not given: its scale is that of the official sets, and these are "
    "others, as named below."
)


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


def results_markdown(title: str, commands: Sequence[str], exp: Path, data: Path) -> str:
    """Return the text of RESULTS.md.

    Args:
        title: First line.
        commands: How the results were made, oldest first; each is said once.
        exp: Folder with one folder per encoder.
        data: Folder of the tasks' data, each with a line in ``about``.

    Raises:
        ValueError: Nothing was scored.
    """
    encoders = sorted(path.parent for path in exp.glob("*/encoder.json"))
    scores = {encoder.name: read_scores(encoder) for encoder in encoders}
    found = {metric for row in scores.values() for metric in row}
    metrics = [
        metric
        for task in TASKS
        for metric in sorted(found, key=_by_importance)
        if metric.partition("_")[0] == task
    ]
    if not metrics:
        raise ValueError(f"expected scores below {exp}, found none; run stage score")
    called = [f"    {command}" for command in dict.fromkeys(commands)]
    lines = [f"# {title}", "", *called, "", NO_TOTAL, ""]
    lines += _row(["encoder", "params M", *[m.replace("_", " ") for m in metrics]])
    lines += [f"|---|{'---:|' * (1 + len(metrics))}"]
    for encoder in encoders:
        facts = json.loads((encoder / "encoder.json").read_text(encoding="utf-8"))
        cells = [_cell(scores[encoder.name].get(metric, [])) for metric in metrics]
        size = f"{facts['parameters'] / 1e6:.3f}"
        lines += _row([encoder.name, size, *cells])
    lines += ["", "Percent; several seeds: mean ± standard deviation.", ""]
    tasks = list(dict.fromkeys(metric.partition("_")[0] for metric in metrics))
    for task in tasks:
        about = (data / task / "about").read_text(encoding="utf-8").strip()
        lines.append(f"- {task.upper()}, {TASKS[task].title}: {about}")
    lines += ["", "## What was searched, on the development sets", ""]
    for encoder in encoders:
        lines += [f"### {encoder.name}", "", *_search_table(encoder), ""]
    return "\n".join(lines).rstrip() + "\n"


def _by_importance(metric: str) -> tuple[int, str]:
    # metrics of SUPERB before others of ours
    return (metric in ("asr_cer", "sd_der_collar", "sf_cer"), metric)


def _search_table(encoder: Path) -> list[str]:
    lines = [*_row(["run", "tried", "dev", "chosen"]), "|---|---:|---:|---|"]
    for search in read_searches(encoder):
        for entry in search["tried"]:
            knob = "layer" if "layer" in entry else "learning_rate"
            value = "-"
            if entry["dev"] is not None:
                metric, number = next(iter(entry["dev"].items()))
                value = f"{metric.replace('_', ' ')} {number:.2f}"
            chosen = entry[knob] == search["chosen"][knob]
            name = f"{knob.replace('_', ' ')} {entry[knob]:g}"
            lines += _row([search["run"], name, value, "yes" if chosen else ""])
    return lines


def _cell(values: list[float]) -> str:
    return spread(values, 2) if values else "-"


def _row(cells: list[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |"]
