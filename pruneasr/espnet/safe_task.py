"""What all trainings of this project share as ESPnet tasks: nothing is lost."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from espnet2.tasks.abs_task import AbsTask
from torch import nn

from pruneasr.encoder.checkpoint import load_strictly
from pruneasr.espnet.interrupt import passed_on
from pruneasr.espnet.trainer import SafeTrainer


class SafeTask(AbsTask):
    """Saves when told to stop, and reads back strictly; put before other tasks."""

    trainer = SafeTrainer

    @classmethod
    def main(
        cls, args: argparse.Namespace | None = None, cmd: Sequence[str] | None = None
    ) -> None:
        """Train in this process, or in one for each GPU."""
        with passed_on():
            super().main(args, cmd)

    @classmethod
    def main_worker(cls, args: argparse.Namespace) -> None:
        """Train in this process.

        Raises:
            ValueError: if it is to hold several GPUs, by torch's DataParallel, whose
                replicas hold no parameters.
        """
        if args.ngpu > 1 and not args.distributed:
            raise ValueError(
                "expected --multiprocessing_distributed true with several GPUs, a "
                f"process for each; found false and --ngpu {args.ngpu}"
            )
        super().main_worker(args)

    @classmethod
    def load_latest(cls, args: argparse.Namespace) -> nn.Module:
        """Build the model and fill it with the weights of the last epoch."""
        model: nn.Module = cls.build_model(args)
        path = Path(args.output_dir) / "latest.pth"
        load_strictly(model, torch.load(path, map_location="cpu"), str(path))
        return model
