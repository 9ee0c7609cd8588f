"""What the experiments of a recipe left on disk, as numbers.

A system is an encoder with its fine-tunings, one per seed.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch

from pruneasr.encoder.checkpoint import load_config
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.widths import config_widths

REFERENCE_SEC = 10.0


@dataclasses.dataclass(frozen=True)
class System:
    """One row of the table.

    Attributes:
        name: of the system.
        encoder: its directory.
        experiments: directories of its fine-tunings.
        num_parameters: of the encoder.
        num_macs: of the encoder at 10 s.
        errors: test set -> rate (``wer``, ``cer``) -> one percentage per experiment.
        training_sec: mean duration of a fine-tuning.
    """

    name: str
    encoder: Path
    experiments: tuple[Path, ...]
    num_parameters: int
    num_macs: int
    errors: Mapping[str, Mapping[str, Sequence[float]]]
    training_sec: float

    def mean(self, test_set: str, rate: str) -> float:
        """Return the mean error rate over seeds, in percent."""
        return statistics.fmean(self.errors[test_set][rate])


def collect(
    name: str, encoder: Path, experiments: Sequence[Path], test_sets: Sequence[str]
) -> System:
    """Read what a system left behind.

    Raises:
        ValueError: if it has no experiment, or one lacks a score.
    """
    if not experiments:
        raise ValueError(
            f"system {name} has no experiment; give --experiment {name}=DIR"
        )
    config = load_config(encoder)
    widths = config_widths(config)
    return System(
        name=name,
        encoder=encoder,
        experiments=tuple(experiments),
        num_parameters=int(parameters(config, widths).total),
        num_macs=int(macs(config, widths, REFERENCE_SEC).total),
        errors={
            test_set: {
                rate: [read_score(e, test_set, rate)["Err"] for e in experiments]
                for rate in ("wer", "cer")
            }
            for test_set in test_sets
        },
        training_sec=statistics.fmean(training_seconds(e) for e in experiments),
    )


def read_score(experiment: Path, test_set: str, rate: str) -> dict[str, Any]:
    """Return the columns of one score.

    Raises:
        ValueError: if it does not exist.
    """
    path = experiment / "decode" / test_set / f"score_{rate}.json"
    if not path.exists():
        raise ValueError(f"expected {path}; run the stages decode and score first")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def training_seconds(experiment: Path) -> float:
    """Return how long the epochs of a training took, all runs of it together."""
    path = experiment / "checkpoint.pth"
    # weights_only=False: ESPnet's reporter state has classes of its own, and the file
    # was written by this recipe
    states = torch.load(path, map_location="cpu", weights_only=False)
    total = timedelta()
    for stats in states["reporter"]["stats"].values():
        total += sum((phase["time"] for phase in stats.values()), timedelta())
    return total.total_seconds()


def encoder_seconds(name: str, expdir: Path) -> float:
    """Return how long the trainings took that made a system's encoder, in this expdir.

    A published teacher costs nothing here.
    """
    made_by = {
        "teacher": sorted(expdir.glob("pretrain[0-9]*")),
        "pruned": [expdir / "distill", expdir / "recover"],
        "distilhubert": [expdir / "distilhubert"],
    }
    directories = [
        path for path in made_by.get(name, []) if (path / "checkpoint.pth").exists()
    ]
    return sum(training_seconds(path) for path in directories)
