"""ESPnet's trainer, made safe against being stopped or killed at any moment.

A signal that asks for the end is obeyed at the next step, see interrupt.py. A process
that is killed loses what it did since the last epoch, or since it was last stopped by a
signal, and does it again in the same way.

ESPnet overwrites ``checkpoint.pth`` after every epoch and then writes the weights and
links. A process killed in the middle leaves half of that. Here the last whole
checkpoint is kept as ``checkpoint.prev.pth`` until the next epoch has begun; before
training resumes it replaces a damaged one, and what should follow the checkpoint is
completed.
"""

from __future__ import annotations

import dataclasses
import logging
import shutil
import zipfile
from collections.abc import Iterable, Sequence, Sized
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from espnet2.train.reporter import Reporter
from espnet2.train.trainer import Trainer

from pruneasr import processes
from pruneasr.epochs import CHECKPOINT, load_checkpoint
from pruneasr.espnet.interrupt import (
    OpenEpoch,
    Signals,
    remove_unfinished,
    write,
)
from pruneasr.files import remove_partial, whole

PREVIOUS = "checkpoint.prev.pth"


class SafeTrainer(Trainer):
    """Trainer that can be stopped anywhere and goes on there."""

    # ESPnet makes no object of a trainer: these belong to the training that runs
    signals: Signals
    epoch: OpenEpoch

    @classmethod
    def run(cls, *args: Any, **kwargs: Any) -> None:
        """Repair what a kill has left, then train as ESPnet does.

        Raises:
            SystemExit: with 143 or 138, if a signal has ended the training early.
        """
        options = kwargs["trainer_options"]
        output_dir = Path(options.output_dir)
        if processes.rank() == 0:
            remove_partial(output_dir)
            if options.resume:
                repair_checkpoint(output_dir)
                complete_epoch(output_dir, options.best_model_criterion)
            else:
                remove_unfinished(output_dir)
        processes.wait_for_all()  # they read what the first has repaired
        with Signals() as cls.signals:
            super().run(*args, **kwargs)
        if processes.rank() == 0:
            remove_unfinished(output_dir)

    @classmethod
    def train_one_epoch(cls, *args: Any, **kwargs: Any) -> bool:
        """Keep the last epoch's checkpoint, then train what is left of an epoch.

        Raises:
            FloatingPointError: if the epoch made no step.
        """
        options, reporter = kwargs["options"], kwargs["reporter"]
        optimizers, iterator = kwargs["optimizers"], kwargs["iterator"]
        output_dir = Path(options.output_dir)
        if processes.rank() == 0:
            keep_checkpoint(output_dir)
            remove_unfinished(output_dir, but=reporter.get_epoch())
        _drop_gradients(optimizers, iterator, options.accum_grad)
        kwargs["options"] = dataclasses.replace(
            options, log_interval=options.log_interval or _log_interval(iterator)
        )
        others = [*optimizers, *kwargs["schedulers"], kwargs["scaler"]]
        cls.epoch = OpenEpoch(
            *(cls.signals, output_dir, kwargs["model"], others, reporter),
            accum_grad=options.accum_grad,
        )
        with closing(cls.epoch.training(iterator)) as kwargs["iterator"]:
            no_step = super().train_one_epoch(*args, **kwargs)
        # a step before the restart counts as well; ESPnet logs the norm of each
        if no_step and "grad_norm" not in reporter.stats:
            # ESPnet would end here as if all had been done
            raise FloatingPointError(
                f"no gradient of epoch {reporter.get_epoch()} was finite; lower the "
                f"learning rate, remove {output_dir} and begin again"
            )
        return False

    @classmethod
    def validate_one_epoch(cls, *args: Any, **kwargs: Any) -> None:
        """Validate, unless a signal asks for the end."""
        batches = cls.epoch.validation(kwargs["iterator"])
        with closing(batches) as kwargs["iterator"]:
            super().validate_one_epoch(*args, **kwargs)


def _log_interval(iterator: Iterable[Any]) -> int:
    """Return ESPnet's default, which takes the length of what it iterates."""
    return max(len(iterator) // 20, 10) if isinstance(iterator, Sized) else 100


def _drop_gradients(
    optimizers: Sequence[torch.optim.Optimizer],
    iterator: Iterable[Any],
    accum_grad: int,
) -> None:
    """Begin an epoch without gradients, which no checkpoint would keep."""
    for optimizer in optimizers:
        optimizer.zero_grad()
    if isinstance(iterator, Sized) and len(iterator) % accum_grad:
        logging.warning(
            "the last %d of the epoch's %d batches make no step; let "
            "num_iters_per_epoch be a multiple of accum_grad, %d",
            *(len(iterator) % accum_grad, len(iterator), accum_grad),
        )


def keep_checkpoint(output_dir: Path) -> None:
    """Copy the checkpoint aside."""
    checkpoint = output_dir / CHECKPOINT
    if checkpoint.exists():
        with whole(output_dir / PREVIOUS) as partial:
            shutil.copyfile(checkpoint, partial)


def repair_checkpoint(output_dir: Path) -> None:
    """Put the previous checkpoint in the place of a half-written one.

    A training that was killed while it wrote its first one begins again.

    Raises:
        ValueError: if the checkpoint is damaged and the previous one is gone.
    """
    checkpoint, previous = output_dir / CHECKPOINT, output_dir / PREVIOUS
    # torch writes a zip file, whose directory comes last: half a file has none
    if not checkpoint.exists() or zipfile.is_zipfile(checkpoint):
        return
    if previous.exists():
        logging.warning("%s is half-written; going back one epoch", checkpoint)
        shutil.copyfile(previous, checkpoint)
    elif not list(output_dir.glob("*epoch.pth")):
        logging.warning("%s, the first, is half-written; beginning again", checkpoint)
        checkpoint.unlink()
    else:
        raise ValueError(
            f"{checkpoint} is damaged and there is no {PREVIOUS}; remove it to start "
            "this stage again"
        )


def complete_epoch(
    output_dir: Path, best_model_criterion: Sequence[Sequence[str]]
) -> None:
    """Write what ESPnet writes after the checkpoint, where a kill came in between."""
    if not (output_dir / CHECKPOINT).exists():
        return
    states = load_checkpoint(output_dir)
    reporter = Reporter()
    reporter.load_state_dict(states["reporter"])
    epoch = reporter.get_epoch()
    weights = output_dir / f"{epoch}epoch.pth"
    if not zipfile.is_zipfile(weights):
        write(states["model"], weights)
    _link(output_dir / "latest.pth", epoch)
    for phase, key, mode in best_model_criterion:
        if reporter.has(phase, key):
            best = reporter.get_best_epoch(phase, key, mode)
            _link(output_dir / f"{phase}.{key}.best.pth", best)


def _link(path: Path, epoch: int) -> None:
    """Let a name stand for the weights of an epoch."""
    with whole(path) as partial:
        partial.symlink_to(f"{epoch}epoch.pth")
