"""Masked pre-training as an ESPnet task."""

from __future__ import annotations

import argparse

from torch import nn

from pruneasr.encoder import Encoder, load_encoder
from pruneasr.espnet.encoder_task import EncoderTask
from pruneasr.pretrain.model import MaskedPrediction


class PretrainTask(EncoderTask):
    """Trains an encoder to predict the clusters of masked frames."""

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of masked pre-training."""
        super().add_task_arguments(parser)
        group = parser.add_argument_group("Masked pre-training")
        group.add_argument("--encoder", help="Directory of the encoder to start from")
        group.add_argument(
            "--num_clusters", type=int, default=100, help="Number of different labels"
        )
        group.add_argument(
            "--mask_prob", type=float, default=0.08, help="Share of span starts"
        )
        group.add_argument(
            "--mask_length", type=int, default=10, help="Frames in a span"
        )
        parser.set_defaults(required=["output_dir", "encoder"])

    @classmethod
    def required_data_names(
        cls, train: bool = True, inference: bool = False
    ) -> tuple[str, ...]:
        """Name waveforms and labels."""
        return ("speech", "labels")

    @classmethod
    def build_objective(cls, args: argparse.Namespace) -> nn.Module:
        """Put the masked prediction loss on the given encoder."""
        return MaskedPrediction(
            load_encoder(args.encoder),
            args.num_clusters,
            args.mask_prob,
            args.mask_length,
        )

    @classmethod
    def finished_encoder(cls, objective: nn.Module) -> Encoder:
        """Return the encoder without its prediction layer."""
        assert isinstance(objective, MaskedPrediction)
        return objective.encoder
