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
from espnet2.train.collate_fn import CommonCollateFn
from espnet2.utils.types import str2bool, str_or_none
from torch import nn

from pruneasr import processes
from pruneasr.encoder import Encoder, save_encoder
from pruneasr.encoder.activation_checkpointing import checkpoint_activations
from pruneasr.espnet.safe_task import SafeTask
from pruneasr.espnet.schedulers import num_batches, set_schedule
from pruneasr.espnet.training_model import TrainingModel


class EncoderTask(SafeTask):
    """A training whose product is an encoder."""

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
            "--activation_checkpointing",
            type=str2bool,
            default=False,
            help="Compute the blocks' activations twice instead of keeping them: "
            "less memory, more time",
        )

    @classmethod
    def build_model(cls, args: argparse.Namespace) -> TrainingModel:
        """Build the objective and its adapter."""
        set_schedule(args)
        objective = cls.build_objective(args)
        # an experiment made before there was this option lacks it
        if getattr(args, "activation_checkpointing", False):
            checkpoint_activations(cls.finished_encoder(objective))
        return TrainingModel(objective, args.autocast, num_batches(args))

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
        # args.dist_rank is None in every process that a launcher of its own started
        if not args.dry_run and processes.rank() == 0:
            cls.finish(args)

    @classmethod
    def finish(cls, args: argparse.Namespace) -> None:
        """Write the finished encoder to ``<output_dir>/encoder``."""
        model = cls.load_latest(args)
        assert isinstance(model, TrainingModel)
        output = Path(args.output_dir) / "encoder"
        save_encoder(
            cls.finished_encoder(model.objective),
            output,
            {"task": cls.__name__, "training_config": f"{args.output_dir}/config.yaml"},
        )
        logging.info("The finished encoder is in %s", output)
