"""The probes that were run on an encoder: what they reached, and by which settings.

``exp/<encoder>/<task>/split<k>_seed<s>`` holds ``search.json``, ``test/score.json`` and
``.trained``, the command of the training as run.sh notes it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from pruneasr.superb.tasks import TASKS

SCORE = "test/score.json"

Scores = dict[str, dict[str, float]]
"""Metric -> seed -> value."""


@dataclass(frozen=True)
class Run:
    """One probe that is scored.

    Attributes:
        folder: Of the run.
        metrics: On the test set, in percent.
    """

    folder: Path
    metrics: Mapping[str, float]

    @property
    def task(self) -> str:
        """Key of ``TASKS``."""
        return self.folder.parent.name

    @property
    def seed(self) -> str:
        """Of the training."""
        return self.folder.name.rpartition("_seed")[2]

    @property
    def score_file(self) -> Path:
        """Where the metrics were read."""
        return self.folder / SCORE

    def search(self) -> dict[str, Any]:
        """Read what was tried on the development set, and what was chosen."""
        path = self.folder / "search.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))


def read_runs(encoder: Path) -> tuple[list[Run], list[str]]:
    """Return the runs of an encoder, by task, split and seed, and what is left out.

    That is a seed of which a split of a task is not scored yet.

    Args:
        encoder: ``exp/<name>``.
    """
    found: dict[tuple[str, str], list[Run]] = {}
    for path in sorted(encoder.glob(f"*/*_seed*/{SCORE}")):
        metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
        run = Run(path.parents[1], metrics)
        found.setdefault((run.task, run.seed), []).append(run)
    whole: list[Run] = []
    left_out: list[str] = []
    for (task, seed), splits in found.items():
        if len(splits) == TASKS[task].splits:
            whole += splits
        else:
            scored = f"{len(splits)} of {TASKS[task].splits} splits"
            left_out.append(f"{encoder.name}: {task} of seed {seed}, {scored}")
    return whole, left_out


def mean_scores(runs: Iterable[Run]) -> Scores:
    """Return what each seed reached, in the mean over the splits of a task."""
    found: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        for metric, value in run.metrics.items():
            found.setdefault(metric, {}).setdefault(run.seed, []).append(value)
    return {
        metric: {seed: fmean(values) for seed, values in seeds.items()}
        for metric, seeds in found.items()
    }


def the_config_dir(exp: Path, wanted: Path | None = None) -> Path | None:
    """Return the one folder of configurations by which all probes were trained.

    Args:
        exp: Holds a folder for each encoder; all come into one report.
        wanted: By which the next ones are to be trained.

    Returns:
        The folder; None where only QbE was run, which has no configuration.

    Raises:
        ValueError: There are several: their scores cannot be compared.
    """
    found: dict[Path, list[str]] = {} if wanted is None else {wanted: ["this call"]}
    for marker in sorted(exp.glob("*/*/*_seed*/.trained")):
        words = shlex.split(marker.read_text(encoding="utf-8"))
        if "--config" in words:
            folder = Path(words[words.index("--config") + 1]).parent
            run = marker.parent.relative_to(exp)
            found.setdefault(folder, []).append(str(run))
    if len(found) > 1:
        said = "; ".join(f"{folder}: {runs[0]}" for folder, runs in found.items())
        raise ValueError(
            f"expected probes of one --config-dir in {exp}, for its report compares "
            f"them; found {said}. Give each --config-dir an --expdir of its own"
        )
    return next(iter(found), None)
