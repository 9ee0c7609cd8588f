"""Where an encoder came from: the trainings and the removal that led to it.

Every step notes in the config.json of its encoder what that was made of, with paths
from the folder of the recipe. So this is to be called there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pruneasr.encoder.checkpoint import load_metadata
from pruneasr.results.collect import same_place

RECOVERY = "RecoverTask"
"""The training of a student that another step made, as its encoder calls it."""


@dataclasses.dataclass(frozen=True)
class Lineage:
    """How an encoder was made.

    Attributes:
        steps: sentences, the first step first.
        trainings: directories of the trainings, the first one first; without those of
            the teacher.
        teacher: what it was pruned from or distilled from, if anything.
        removal: encoder directory with the report of what was removed, if anything was.
    """

    steps: tuple[str, ...] = ()
    trainings: tuple[Path, ...] = ()
    teacher: Path | None = None
    removal: Path | None = None


def read_lineage(encoder: Path) -> Lineage:
    """Return how an encoder was made; of one that was converted nothing is known.

    Raises:
        ValueError: if a training or an encoder that led to it is gone, or its steps
            had different teachers.
    """
    provenance = load_metadata(encoder)["provenance"]
    if "training_config" in provenance:
        if provenance["task"] == RECOVERY:
            return _distilled(Path(provenance["training_config"]).parent)
        return Lineage(("It was pre-trained.",), own_trainings(encoder))
    if "sparsity" in provenance:
        return _removed(encoder, provenance)
    if "init_encoder" in provenance:
        said = " ".join(f"{k}={v}" for k, v in provenance["init_encoder"].items())
        return Lineage((f"It was initialised by init_encoder ({said}).",))
    return Lineage()


def training_config(training: Path) -> dict[str, Any]:
    """Return the options of a training.

    Raises:
        ValueError: if it has left none.
    """
    path = training / "config.yaml"
    if not path.exists():
        raise ValueError(f"expected {path}; the training in {training} writes it")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def own_trainings(teacher: Path) -> tuple[Path, ...]:
    """Return the rounds of a pre-training, if the encoder lies beside them.

    One of another recipe, or a published one, is described there.
    """
    config = load_metadata(teacher)["provenance"].get("training_config")
    if config is None or not same_place(Path(config).parents[1], teacher.parent):
        return ()
    return tuple(sorted(teacher.parent.glob("pretrain[0-9]*")))


def _distilled(training: Path) -> Lineage:
    options = training_config(training)
    before, teacher = read_lineage(Path(options["student"])), Path(options["teacher"])
    if before.teacher is not None and not same_place(before.teacher, teacher):
        raise ValueError(
            f"expected one teacher of {options['student']} and {training}; found "
            f"{before.teacher} and {teacher}; train again what is older"
        )
    again = " once more" if before.trainings else ""
    return dataclasses.replace(
        before,
        steps=(*before.steps, f"Then it was distilled from the teacher{again}."),
        trainings=(*before.trainings, training),
        teacher=teacher,
    )


def _removed(encoder: Path, provenance: Mapping[str, Any]) -> Lineage:
    teacher = Path(provenance["teacher"])
    if "scores" in provenance:
        said = f"The units of the lowest scores ({provenance['scores']}) were removed."
        return Lineage((said,), (), teacher, encoder)
    training = Path(provenance["experiment"])
    task = training_config(training).get("task")
    how = f"trained for {task.upper()}" if task else "distilled from the teacher"
    said = f"Learned gates removed the rest while it was {how}."
    return Lineage((said,), (training,), teacher, encoder)
