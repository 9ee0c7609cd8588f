"""What the experiments of a recipe left on disk, as numbers.

A system is an encoder with its fine-tunings, one per seed. What is read of a
fine-tuning depends on the task: :data:`METRICS`.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from pruneasr.encoder import EncoderConfig
from pruneasr.encoder.checkpoint import load_config
from pruneasr.epochs import read_epochs
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.widths import config_widths

REFERENCE_SEC = 10.0


@dataclasses.dataclass(frozen=True)
class Metric:
    """One percentage that a stage of scoring wrote.

    Attributes:
        name: what its column is called.
        file: ``score_<file>.json``; ``key``: its entry there.
        hub_type: what the Hugging Face hub calls metrics of this kind.
        higher_is_better: a rate of what is right, not of errors.
    """

    name: str
    file: str
    key: str
    hub_type: str
    higher_is_better: bool = False

    @property
    def error_name(self) -> str:
        """What the rate of errors is called."""
        return f"100 - {self.name}" if self.higher_is_better else self.name

    def error(self, value: float) -> float:
        """Return a value as a rate of errors, in percent."""
        return 100 - value if self.higher_is_better else value


# By task; the first one is what the aims are about
METRICS = {
    "asr": (
        Metric("WER", "wer", "Err", "wer"),
        Metric("CER", "cer", "Err", "cer"),
    ),
    "slu": (
        Metric("slot F1", "slu", "slot_f1", "f1", higher_is_better=True),
        Metric("SLU-F1", "slu", "slu_f1", "f1", higher_is_better=True),
        Metric("joint acc", "slu", "joint_accuracy", "accuracy", higher_is_better=True),
        Metric(
            "intent acc", "slu", "intent_accuracy", "accuracy", higher_is_better=True
        ),
    ),
}


@dataclasses.dataclass(frozen=True)
class System:
    """One row of the table.

    Attributes:
        name: of the system.
        encoder: its directory.
        experiments: directories of its fine-tunings.
        num_parameters: of the encoder.
        num_macs: of the encoder at 10 s.
        scores: test set -> name of a metric -> one percentage per experiment.
        training_sec: mean duration of a fine-tuning.
    """

    name: str
    encoder: Path
    experiments: tuple[Path, ...]
    num_parameters: int
    num_macs: int
    scores: Mapping[str, Mapping[str, Sequence[float]]]
    training_sec: float

    def errors(self, test_set: str, metric: Metric) -> list[float]:
        """Return the error rate of every seed, in percent."""
        return [metric.error(value) for value in self.scores[test_set][metric.name]]


def collect(
    name: str,
    encoder: Path,
    experiments: Sequence[Path],
    test_sets: Sequence[str],
    metrics: Sequence[Metric],
) -> System:
    """Read what a system left behind.

    Args:
        name: of the system.
        encoder: its directory.
        experiments: directories of its fine-tunings.
        test_sets: what they decoded.
        metrics: what is read of their scores.

    Raises:
        ValueError: if it has no experiment, or one lacks a score or was fine-tuned
            from another encoder.
    """
    if not experiments:
        raise ValueError(
            f"system {name} has no experiment; give --experiment {name}=DIR"
        )
    for experiment in experiments:
        found = tuned_encoder(experiment)
        if not same_place(found, encoder):
            raise ValueError(
                f"expected fine-tunings of {encoder} as system {name}; {experiment} is "
                f"one of {found}. Give that encoder, or train the experiment again"
            )
    num_parameters, num_macs = encoder_size(load_config(encoder))
    return System(
        name=name,
        encoder=encoder,
        experiments=tuple(experiments),
        num_parameters=num_parameters,
        num_macs=num_macs,
        scores={
            test_set: {
                metric.name: [
                    read_score(e, test_set, metric.file)[metric.key]
                    for e in experiments
                ]
                for metric in metrics
            }
            for test_set in test_sets
        },
        training_sec=statistics.fmean(training_seconds(e) for e in experiments),
    )


def tuned_encoder(experiment: Path) -> Path:
    """Return the encoder that a fine-tuning began with, as its config.yaml names it.

    Raises:
        ValueError: if there is no such file, or it names none.
    """
    path = experiment / "config.yaml"
    if not path.exists():
        raise ValueError(f"expected {path}; run the stage train first")
    options = yaml.safe_load(path.read_text(encoding="utf-8"))
    encoder = (options.get("frontend_conf") or {}).get("ckpt")
    if encoder is None:
        raise ValueError(f"expected frontend_conf.ckpt, an encoder, in {path}")
    return Path(encoder)


def same_place(one: Path, other: Path) -> bool:
    """Return whether two paths, from the recipe's folder, lead to the same place."""
    return one.resolve() == other.resolve()


def pruned_encoder(expdir: Path) -> Path:
    """Return where a recipe's stages leave the pruned encoder."""
    return expdir / "recover" / "encoder"


def encoder_size(config: EncoderConfig) -> tuple[int, int]:
    """Return the parameters of an encoder and its MACs at 10 s."""
    widths = config_widths(config)
    num_macs = macs(config, widths, REFERENCE_SEC).total
    return int(parameters(config, widths).total), int(num_macs)


def read_score(experiment: Path, test_set: str, file: str) -> dict[str, Any]:
    """Return the columns of one ``score_<file>.json``.

    Raises:
        ValueError: if it does not exist.
    """
    path = experiment / "decode" / test_set / f"score_{file}.json"
    if not path.exists():
        raise ValueError(f"expected {path}; run the stages decode and score first")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def training_seconds(experiment: Path) -> float:
    """Return how long the epochs of a training took, all runs of it together.

    Raises:
        ValueError: if it has left no checkpoint.
    """
    phases = [phase for epoch in read_epochs(experiment) for phase in epoch.values()]
    return sum((phase["time"] for phase in phases), timedelta()).total_seconds()


def encoder_seconds(encoder: Path, expdir: Path) -> float:
    """Return how long the trainings took that made an encoder in this expdir.

    One that was given, or has random weights, costs nothing here.

    Raises:
        ValueError: if one of them has left no checkpoint.
    """
    made_by = {
        expdir / "teacher": sorted(expdir.glob("pretrain[0-9]*")),
        pruned_encoder(expdir): [expdir / "distill", expdir / "recover"],
        expdir / "distilhubert" / "encoder": [expdir / "distilhubert"],
    }
    return sum(
        training_seconds(training)
        for made, trainings in made_by.items()
        if same_place(made, encoder)
        for training in trainings
    )
