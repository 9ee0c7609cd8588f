"""What the trainings of an encoder have in common, as an ESPnet task.

Options, YAML, batching, data loading, DDP, TensorBoard and resume are ESPnet's. Added:
autocast on any device, a checkpoint that survives a kill, and the finished encoder
written as a directory ``<output_dir>/encoder``.
"""

from __future__ import annotations

import argparse
import logging
from abc import abstractmethod
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import torch
from espnet2.tasks.abs_task import AbsTask
from espnet2.train.collate_fn import CommonCollateFn
from espnet2.utils.types import int_or_none, str_or_none
from torch import nn

from pruneasr.encoder import Encoder, save_encoder
from pruneasr.encoder.checkpoint import load_strictly
from pruneasr.espnet import schedulers as _schedulers  # noqa: F401, registers ours
from pruneasr.espnet.trainer import SafeTrainer
from pruneasr.espnet.training_model import TrainingModel


class EncoderTask(AbsTask):
    """A training whose product is an encoder."""

    trainer = SafeTrainer

    @classmethod
    @abstractmethod
    def build_objective(cls, args: argparse.Namespace) -> nn.Module:
        """Return the module whose loss is minimised; see :class:`TrainingModel`."""

    @classmethod
    @abstractmethod
    def finished_encoder(cls, objective: nn.Module) -> Encoder:
        """Return the encoder to write when the training is over."""

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options that all of our trainings share."""
        group = parser.add_argument_group("Encoder training")
        group.add_argument(
            "--autocast",
            type=str_or_none,
            default=None,
            help="bfloat16: run the forward pass in it, on CPU and GPU",
        )
        group.add_argument(
            "--total_steps",
            type=int_or_none,
            default=None,
            help="Batches of the whole training; max_epoch * num_iters_per_epoch if "
            "that is set",
        )

    @classmethod
    def total_steps(cls, args: argparse.Namespace) -> int:
        """Return the number of batches of the whole training.

        Raises:
            ValueError: if the options do not say it.
        """
        if args.total_steps is not None:
            return int(args.total_steps)
        if args.num_iters_per_epoch is None:
            raise ValueError(
                "the schedules need the length of the training: give "
                "--num_iters_per_epoch (times max_epoch) or --total_steps"
            )
        return int(args.max_epoch * args.num_iters_per_epoch)

    @classmethod
    def build_model(cls, args: argparse.Namespace) -> TrainingModel:
        """Build the objective and its adapter."""
        steps = cls.total_steps(args)
        if args.scheduler == "linearwarmupdecay":
            args.scheduler_conf.setdefault("total_steps", steps // args.accum_grad)
        return TrainingModel(cls.build_objective(args), args.autocast, steps)

    @classmethod
    def build_collate_fn(
        cls, args: argparse.Namespace, train: bool
    ) -> Callable[
        [Collection[tuple[str, dict[str, np.ndarray]]]],
        tuple[list[str], dict[str, torch.Tensor]],
    ]:
        """Pad waveforms with zeros and labels with -1."""
        return CommonCollateFn(float_pad_value=0.0, int_pad_value=-1)

    @classmethod
    def build_preprocess_fn(cls, args: argparse.Namespace, train: bool) -> None:
        """Use the waveforms as they are."""
        return

    @classmethod
    def required_data_names(
        cls, train: bool = True, inference: bool = False
    ) -> tuple[str, ...]:
        """Name the inputs of the objective."""
        return ("speech",)

    @classmethod
    def optional_data_names(
        cls, train: bool = True, inference: bool = False
    ) -> tuple[str, ...]:
        """Name no further inputs."""
        return ()

    @classmethod
    def main_worker(cls, args: argparse.Namespace) -> None:
        """Train, then finish (first process only)."""
        super().main_worker(args)
        if not args.dry_run and args.dist_rank in (None, 0):
            cls.finish(args)

    @classmethod
    def finish(cls, args: argparse.Namespace) -> None:
        """Write the finished encoder to ``<output_dir>/encoder``."""
        model = cls.load_latest(args)
        output = Path(args.output_dir) / "encoder"
        save_encoder(
            cls.finished_encoder(model.objective),
            output,
            {"task": cls.__name__, "training_config": f"{args.output_dir}/config.yaml"},
        )
        logging.info("The finished encoder is in %s", output)

    @classmethod
    def load_latest(cls, args: argparse.Namespace) -> TrainingModel:
        """Build the model and fill it with the weights of the last epoch."""
        model = cls.build_model(args)
        path = Path(args.output_dir) / "latest.pth"
        load_strictly(model, torch.load(path, map_location="cpu"), str(path))
        return model
