"""Encoders with their fine-tunings, as the points of curves and ablations leave them.

Such a folder is called ``<name>_seed<seed>`` and has ``tuned``, the fine-tuning, which
names its encoder, and ``.tuned`` once it is scored.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pruneasr.encoder.checkpoint import load_config, load_metadata
from pruneasr.markdown import markdown_table
from pruneasr.pruning.widths import Widths, config_widths
from pruneasr.results.collect import (
    Metric,
    encoder_size,
    read_score,
    tuned_encoder,
)

FOLDER = re.compile(r"(?P<name>[a-z0-9_]+)_seed(?P<seed>\d+)")


@dataclasses.dataclass(frozen=True)
class Run:
    """One encoder and its fine-tuning.

    Attributes:
        folder: of the run.
        seed: of its trainings.
        experiment: directory of the fine-tuning.
        encoder: directory of what was fine-tuned.
        widths: of the encoder.
        num_parameters, num_macs: of the encoder, at 10 s.
        errors: test set -> percent.
        reference_sec, macs_left: of what length its pruning counted the MACs, and how
            many percent of these are left; None and 100 where it was not pruned.
    """

    folder: Path
    seed: int
    experiment: Path
    encoder: Path
    widths: Widths
    num_parameters: int
    num_macs: int
    errors: Mapping[str, float]
    reference_sec: float | None = None
    macs_left: float = 100.0


def read_runs(
    folder: Path, test_sets: Sequence[str], metric: Metric
) -> dict[str, list[Run]]:
    """Return the finished runs in a folder by name, those of each by seed.

    Args:
        folder: holds ``<name>_seed<seed>``.
        test_sets: what was decoded.
        metric: of the task; read as a rate of errors.

    Raises:
        ValueError: if a finished run lacks its fine-tuning, or that its scores.
    """
    found: dict[str, list[Run]] = {}
    for path in folder.glob("*_seed*"):
        match = FOLDER.fullmatch(path.name)
        if match is not None and (path / ".tuned").exists():
            run = _read_run(path, int(match["seed"]), test_sets, metric)
            found.setdefault(match["name"], []).append(run)
    for runs in found.values():
        runs.sort(key=lambda run: run.seed)
    return found


def _read_run(folder: Path, seed: int, test_sets: Sequence[str], metric: Metric) -> Run:
    pattern = f"*_pruned_seed{seed}"
    found = sorted((folder / "tuned").glob(pattern))
    if len(found) != 1:
        raise ValueError(
            f"expected one {folder}/tuned/{pattern}, for {folder}/.tuned says that it "
            f"is scored; found {[path.name for path in found]}. Remove what is not of "
            "this run, or the marker, and run it again"
        )
    (experiment,) = found
    encoder = tuned_encoder(experiment)
    config = load_config(encoder)
    pruning = load_metadata(encoder)["provenance"]
    dense, left = pruning.get("macs", {}).get("total", (1, 1))
    return Run(
        folder,
        seed,
        experiment,
        encoder,
        config_widths(config),
        *encoder_size(config),
        {
            name: metric.error(read_score(experiment, name, metric.file)[metric.key])
            for name in test_sets
        },
        pruning.get("reference_sec"),
        100 * left / dense,
    )


def runs_section(
    runs: Sequence[Run],
    factors: Mapping[Path, float],
    test_sets: Sequence[str],
    metric: Metric,
    probes: Mapping[str, Mapping[Path, float]],
) -> str:
    """Return what every single run came to, and where its logs are.

    Args:
        runs: in the order of the rows.
        factors: encoder directory -> real-time factor.
        test_sets: what was decoded.
        metric: of the task.
        probes: metric of probes on the encoders -> folder of a run -> percent.
    """
    columns = ["fine-tuning", "params M", "MACs G, 10 s", "RTF"]
    columns += [f"{metric.error_name} % {test_set}" for test_set in test_sets]
    columns += [f"{name.replace('_', ' ')} %" for name in probes]
    rows = [
        [
            str(run.experiment),
            f"{run.num_parameters / 1e6:.3f}",
            f"{run.num_macs / 1e9:.3f}",
            f"{factors[run.encoder]:.5f}",
            *(f"{run.errors[test_set]:.1f}" for test_set in test_sets),
            *(
                f"{found[run.folder]:.2f}" if run.folder in found else "-"
                for found in probes.values()
            ),
        ]
        for run in runs
    ]
    return (
        f"## Runs\n\n{markdown_table(columns, rows)}\n"
        "Each folder has train.log, config.yaml (all options; the encoder is "
        "frontend_conf.ckpt) and decode/, with hypotheses, logs and scores; above it "
        "lie the trainings and logs of the encoder.\n"
    )
