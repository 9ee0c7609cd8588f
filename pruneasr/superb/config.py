"""The configuration of a probe: sizes of its head, and its training."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pruneasr.superb.tasks import TASKS


@dataclasses.dataclass(frozen=True)
class Training:
    """How a probe is trained.

    Attributes:
        learning_rates: AdamW's, all tried; the best one on the development set counts.
        steps: Updates.
        eval_steps: Updates between two looks at the development set.
        batch_size: Utterances per update.
        clip: Largest norm of the gradient.
        max_frames: Longer training utterances are cut to so many frames at a random
            place; None: never. For one label per utterance.
        balanced: Draw every label equally often; for one label per utterance.
        weight_decay: AdamW's; with 0 it is Adam.
    """

    learning_rates: Sequence[float]
    steps: int
    eval_steps: int
    batch_size: int
    clip: float = 1.0
    max_frames: int | None = None
    balanced: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        rates = self.learning_rates
        numbers = isinstance(rates, list | tuple) and [
            rate for rate in rates if isinstance(rate, float) and rate > 0
        ]
        if not rates or numbers != [*rates]:
            raise ValueError(
                "expected learning_rates, a list of numbers above 0 (1.0e-3: YAML "
                f"takes 1e-3 for a word), found {rates!r}"
            )
        counts = (self.steps, self.eval_steps, self.batch_size)
        if min(counts) < 1 or self.steps % self.eval_steps:
            raise ValueError(
                "expected steps, eval_steps and batch_size of at least 1, and steps "
                f"that are a multiple of eval_steps; found {counts}"
            )
        limits = (self.clip, 1 if self.max_frames is None else self.max_frames)
        if not all(limit > 0 for limit in limits):
            raise ValueError(
                "expected clip and, where it is given, max_frames above 0; found "
                f"{self.clip} and {self.max_frames}"
            )


def read_config(path: Path, task: str) -> tuple[dict[str, Any], Training]:
    """Read the YAML file of a task: the options ``probe`` and ``training``.

    Returns:
        Arguments of the task's head, and the training.

    Raises:
        ValueError: The file is missing, or has an unknown or a missing option.
    """
    if not path.is_file():
        raise ValueError(f"expected the configuration of {task} at {path}, found none")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: expected YAML: {error}") from error
    if not isinstance(content, dict) or set(content) != {"probe", "training"}:
        raise ValueError(f"{path}: expected `probe` and `training`, found {content!r}")
    sizes, training = content["probe"] or {}, content["training"] or {}
    head = TASKS[task].probe
    if head is None:
        raise ValueError(f"{path}: {task} trains nothing and has no configuration")
    try:
        inspect.signature(head).bind(None, None, **sizes)
        options = Training(**training)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not head.one_label and (options.max_frames is not None or options.balanced):
        raise ValueError(
            f"{path}: expected max_frames and balanced only where an utterance has one "
            f"label; {task} has a sequence, and nobody knows what a cut leaves of it"
        )
    return dict(sizes), options
