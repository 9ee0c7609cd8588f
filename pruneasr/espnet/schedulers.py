"""The length of a training, and the learning-rate schedule of [W23].

That is linear up from 0, then linear down to 0.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from espnet2.schedulers.abs_scheduler import AbsBatchStepScheduler
from espnet2.tasks.abs_task import scheduler_classes
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler


class LinearWarmupDecay(LRScheduler, AbsBatchStepScheduler):
    """Multiplies every learning rate by step / warmup, then by what is left / decay."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        total_steps: int,
        warmup: float = 0.07,
        last_epoch: int = -1,
    ) -> None:
        """Schedule an optimizer.

        Args:
            optimizer: its current learning rates are the peaks.
            total_steps: steps after which the learning rate is 0.
            warmup: share of the steps spent rising (7 % in [W23], section 3.1).
            last_epoch: as in torch.

        Raises:
            ValueError: if total_steps < 2 or warmup is not within (0, 1).
        """
        if total_steps < 2 or not 0 < warmup < 1:
            raise ValueError(
                "expected total_steps >= 2 and 0 < warmup < 1; found "
                f"{total_steps} and {warmup}"
            )
        self.total_steps = total_steps
        self.warmup_steps = max(1, round(warmup * total_steps))
        super().__init__(optimizer, last_epoch)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a training was.

        Raises:
            ValueError: if its schedule had another length.
        """
        for name in ("total_steps", "warmup_steps"):
            if state_dict[name] != getattr(self, name):
                raise ValueError(
                    f"expected a training with {name} {getattr(self, name)} in its "
                    f"schedule, found a checkpoint of one with {state_dict[name]}; "
                    "give the same length and warm-up, or another output_dir"
                )
        super().load_state_dict(state_dict)

    def get_lr(self) -> list[float | Tensor]:
        """Return the learning rates of the next step."""
        step = self.last_epoch + 1  # the first step already moves
        rising = step / self.warmup_steps
        falling = (self.total_steps + 1 - step) / (
            self.total_steps + 1 - self.warmup_steps
        )
        factor = max(0.0, min(rising, falling))
        return [lr * factor for lr in self.base_lrs]


scheduler_classes["linearwarmupdecay"] = LinearWarmupDecay


def num_batches(args: argparse.Namespace) -> int:
    """Return the number of batches of the whole training.

    Raises:
        ValueError: if the options do not say it.
    """
    if args.num_iters_per_epoch is None:
        raise ValueError(
            "the schedules need the length of the training: give --num_iters_per_epoch"
        )
    return int(args.max_epoch * args.num_iters_per_epoch)


def set_schedule(args: argparse.Namespace) -> None:
    """Tell the scheduler of [W23] how long the training is, in place."""
    if args.scheduler == "linearwarmupdecay":
        steps = num_batches(args) // args.accum_grad
        args.scheduler_conf.setdefault("total_steps", steps)
