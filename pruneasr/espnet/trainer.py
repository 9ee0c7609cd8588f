"""ESPnet's trainer, made safe against being killed while it writes.

ESPnet overwrites ``checkpoint.pth`` after every epoch; a process killed in the middle
leaves half a file and no other. Here the last whole one is kept as
``checkpoint.prev.pth`` until the next epoch has begun, and a damaged one is replaced by
it before training resumes.
"""

from __future__ import annotations

import logging
import shutil
import zipfile
from pathlib import Path
from typing import Any

from espnet2.train.trainer import Trainer

CHECKPOINT = "checkpoint.pth"
PREVIOUS = "checkpoint.prev.pth"


class SafeTrainer(Trainer):
    """Trainer whose checkpoint on disk is always loadable."""

    @classmethod
    def run(cls, *args: Any, **kwargs: Any) -> None:
        """Repair the checkpoint, then train as ESPnet does."""
        options = kwargs["trainer_options"]
        if options.resume:
            repair_checkpoint(Path(options.output_dir))
        super().run(*args, **kwargs)

    @classmethod
    def train_one_epoch(cls, *args: Any, **kwargs: Any) -> bool:
        """Keep the last epoch's checkpoint, then train an epoch."""
        distributed = kwargs["distributed_option"]
        if not distributed.distributed or distributed.dist_rank == 0:
            keep_checkpoint(Path(kwargs["options"].output_dir))
        return super().train_one_epoch(*args, **kwargs)


def keep_checkpoint(output_dir: Path) -> None:
    """Copy the checkpoint aside, by a temporary name."""
    checkpoint = output_dir / CHECKPOINT
    if checkpoint.exists():
        temporary = output_dir / (PREVIOUS + ".tmp")
        shutil.copyfile(checkpoint, temporary)
        temporary.replace(output_dir / PREVIOUS)


def repair_checkpoint(output_dir: Path) -> None:
    """Put the previous checkpoint in the place of a half-written one.

    Raises:
        ValueError: if the checkpoint is damaged and there is no previous one.
    """
    checkpoint, previous = output_dir / CHECKPOINT, output_dir / PREVIOUS
    # torch writes a zip file, whose directory comes last: half a file has none
    if not checkpoint.exists() or zipfile.is_zipfile(checkpoint):
        return
    if not previous.exists():
        raise ValueError(
            f"{checkpoint} is damaged and there is no {PREVIOUS}; remove it to start "
            "this stage again"
        )
    logging.warning("%s is half-written; going back one epoch", checkpoint)
    shutil.copyfile(previous, checkpoint)
