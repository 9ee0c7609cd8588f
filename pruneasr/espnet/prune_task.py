"""HJ-Pruning as ESPnet tasks: recognition or understanding, trained with gates.

[P23]: the frontend's encoder is gated, and ESPnet's own model is trained on its own
loss plus the Lagrangian of the budget. Everything else, from data to decoder, is that
of ESPnet's task. ``pruneasr.bin.prune`` then removes, and what is left is an encoder
directory like any other.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from espnet2.tasks.asr import ASRTask
from espnet2.tasks.slu import SLUTask
from espnet2.torch_utils.device_funcs import force_gatherable
from espnet2.train.abs_espnet_model import AbsESPnetModel
from torch import Tensor, nn

from pruneasr.encoder import Encoder
from pruneasr.espnet.frontend import PrunedSSLFrontend
from pruneasr.espnet.frontend_parts import is_frozen
from pruneasr.espnet.gate_training import (
    GatedTrainer,
    add_pruning_arguments,
    build_optimizers,
    gate_and_constrain,
)
from pruneasr.espnet.named_task import NamedTask, by_name
from pruneasr.espnet.schedulers import set_schedule
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import clamp_gates, gate_means
from pruneasr.pruning.widths import expected_widths


class ConstrainedModel(AbsESPnetModel):
    """ESPnet's model, whose loss gets the Lagrangian of its gated encoder."""

    step: Tensor

    def __init__(self, model: AbsESPnetModel, constraint: Constraint) -> None:
        """Wrap a model.

        Args:
            model: with ``frontend: pruned_ssl``, gates attached to its encoder.
            constraint: on the encoder's expected widths.
        """
        super().__init__()
        self.model = model
        self.constraint = constraint
        self.register_buffer("step", torch.tensor(0))

    @property
    def frontend(self) -> PrunedSSLFrontend:
        """The frontend with the gated encoder."""
        frontend = self.model.frontend
        assert isinstance(frontend, PrunedSSLFrontend)
        return frontend

    def forward(self, **batch: Any) -> tuple[Tensor, dict[str, Any], Tensor]:
        """Return loss, statistics and weight of a batch, as ESPnet's model does.

        ``task_loss`` is the loss without the Lagrangian.
        """
        task_loss, stats, weight = self.model(**batch)
        encoder = self.frontend.upstream
        lagrangian, terms = self.constraint(expected_widths(encoder), int(self.step))
        loss = task_loss + lagrangian
        stats = {
            **stats,
            "loss": loss.detach(),
            "task_loss": task_loss.detach(),
            **terms,
            **gate_means(encoder),
        }
        gathered: tuple[Tensor, dict[str, Any], Tensor] = force_gatherable(
            (loss, stats, weight), loss.device
        )
        return gathered

    def collect_feats(self, **batch: Any) -> dict[str, Tensor]:
        """Return the features of the wrapped model, for statistics."""
        feats: dict[str, Tensor] = self.model.collect_feats(**batch)
        return feats

    @torch.no_grad()
    def after_step(self) -> None:
        """Count an optimiser step and bring the gates back within their limits."""
        self.step += 1
        clamp_gates(self.frontend.upstream)


class PruningTask(NamedTask, ASRTask):
    """What recognition and understanding share; put before ESPnet's task."""

    num_optimizers = 2
    trainer = GatedTrainer

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add gates and constraint to the options of ESPnet's task."""
        super().add_task_arguments(parser)
        add_pruning_arguments(parser)
        parser.add_argument(  # config.yaml tells bin.prune
            "--task", choices=[cls.name], default=cls.name, help="Whose loss is used"
        )
        parser.set_defaults(required=["output_dir", "token_list", "units"])

    @classmethod
    def build_model(cls, args: argparse.Namespace) -> ConstrainedModel:
        """Build ESPnet's model, gate its encoder and constrain it.

        Raises:
            ValueError: if the frontend is another one, names no encoder, leaves blocks
                out or is frozen where gates are, a unit is unknown, or the target
                cannot be reached.
        """
        set_schedule(args)
        model = super().build_model(args)
        frontend = _check_frontend(model.frontend, args.units)
        return ConstrainedModel(model, gate_and_constrain(args, frontend.upstream))

    @classmethod
    def build_optimizers(
        cls, args: argparse.Namespace, model: nn.Module
    ) -> list[torch.optim.Optimizer]:
        """Separate weights, gates and multipliers."""
        assert isinstance(model, ConstrainedModel)
        return build_optimizers(args, model, model.constraint, model.after_step)

    @classmethod
    def load_gated(cls, args: argparse.Namespace) -> tuple[Encoder, Constraint]:
        """Return the gated encoder of a finished training, and its constraint."""
        model = cls.load_latest(args)
        assert isinstance(model, ConstrainedModel)
        encoder = model.frontend.upstream
        # the rate of this training is no part of the encoder that it leaves
        rate = model.frontend.arch.dropout
        encoder.config = dataclasses.replace(encoder.config, dropout=rate)
        return encoder, model.constraint


class ASRPruneTask(PruningTask):
    """Prunes an encoder under the loss of speech recognition."""

    name = "asr"


class SLUPruneTask(PruningTask, SLUTask):
    """Prunes an encoder under the loss of spoken language understanding."""

    name = "slu"


TASKS: dict[str, type[PruningTask]] = by_name(ASRPruneTask, SLUPruneTask)


def _check_frontend(
    frontend: nn.Module | None, units: Sequence[str]
) -> PrunedSSLFrontend:
    if not isinstance(frontend, PrunedSSLFrontend):
        raise ValueError(
            f"expected frontend: pruned_ssl, which is what is pruned; found {frontend}"
        )
    if len(frontend.upstream.blocks) != len(frontend.arch.blocks):
        raise ValueError(
            "the encoder is pruned as a whole; leave `layer` out of frontend_conf"
        )
    if frontend.ckpt is None:
        raise ValueError(
            "expected ckpt in frontend_conf: the encoder that is pruned, which the "
            "report names; found none"
        )
    if frontend.freeze_steps:
        raise ValueError(
            f"freeze_steps must be 0 while gates are trained; found "
            f"{frontend.freeze_steps}"
        )
    extractor = frontend.upstream.feature_extractor
    if frontend.frozen() or ("conv" in units and is_frozen(extractor)):
        raise ValueError(
            "expected weights that adapt to what gates close; found a frontend_conf "
            f"with freeze, or freeze_cnn and gates on {' '.join(units)}"
        )
    return frontend
