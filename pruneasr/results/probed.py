"""What probes of SUPERB reached on the frozen encoders of an ablation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean

from pruneasr.results.ablation import Variants
from pruneasr.results.runs import Run
from pruneasr.superb.figure import Probed, scores_section
from pruneasr.superb.published import METRICS
from pruneasr.superb.runs import mean_scores, read_runs

Probes = dict[str, dict[Path, float]]
"""Metric of SUPERB -> folder of a run -> percent."""


def read_probes(runs: Iterable[Run]) -> Probes:
    """Return the percentages of all probes that are done.

    Raises:
        ValueError: A probe that is marked as done has left no score.
    """
    probes: Probes = {name: {} for name in METRICS}
    for folder in (run.folder for run in runs):
        found, _ = read_runs(folder / "probes" / folder.name)
        scores = mean_scores(found)
        for name, task in METRICS.items():
            marker = folder / f".probed_{task}"
            if not marker.exists():
                continue
            if name not in scores:
                raise ValueError(
                    f"expected {name} below {folder}/probes, for {marker} says that it "
                    f"is there; remove {marker} and probe again"
                )
            probes[name][folder] = fmean(scores[name].values())
    return {name: values for name, values in probes.items() if values}


def probes_section(
    variants: Variants, probes: Mapping[str, Mapping[Path, float]], figure: Path
) -> str:
    """Draw score against parameters; return what the report says of it.

    Args:
        variants: of the ablation.
        probes: of :func:`read_probes`.
        figure: its file.
    """
    found: dict[str, list[Probed]] = {}
    for variant, runs in variants.items():
        for run in runs:
            metrics = {n: v[run.folder] for n, v in probes.items() if run.folder in v}
            if metrics:
                one = Probed(run.num_parameters / 1e6, metrics)
                found.setdefault(variant, []).append(one)
    return scores_section(found, figure)
