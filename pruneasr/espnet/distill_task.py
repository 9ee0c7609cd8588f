"""Distil-pruning and recovery as ESPnet tasks.

The student has no dropout, whatever the teacher was trained with: the teacher that it
imitates has none either, and gates are noise enough.
"""

from __future__ import annotations

import argparse
from typing import ClassVar

import torch
from espnet2.train.class_choices import ClassChoices
from torch import nn

from pruneasr.distill.model import Distillation
from pruneasr.distill.pairing import PAIRINGS, Pairing
from pruneasr.encoder import Encoder, load_encoder
from pruneasr.espnet.encoder_task import EncoderTask
from pruneasr.espnet.gate_training import (
    GatedTrainer,
    add_pruning_arguments,
    build_optimizers,
    gate_and_constrain,
)
from pruneasr.espnet.training_model import TrainingModel
from pruneasr.pruning.constraint import Constraint

pairing_choices = ClassChoices("pairing", PAIRINGS, Pairing, default="free")


class DistillTask(EncoderTask):
    """What both share: a teacher, and which of its layers are compared with what."""

    class_choices_list: ClassVar[list[ClassChoices]] = [pairing_choices]

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add teacher and pairing."""
        super().add_task_arguments(parser)
        group = parser.add_argument_group("Distillation")
        group.add_argument("--teacher", help="Directory of the teacher")
        group.add_argument(
            "--teacher_layers",
            type=int,
            nargs="+",
            default=[3, 6, 9, 12],
            help="Hidden states of the teacher that are learned",
        )
        group.add_argument(
            "--distance",
            default="mse",
            help="mse, l1_cosine as in DistilHuBERT or l1_minus_cosine as in DPHuBERT",
        )
        pairing_choices.add_arguments(group)
        # blocks above the last layer that is paired
        parser.set_defaults(unused_parameters=True)

    @classmethod
    def _pairing(cls, args: argparse.Namespace, teacher: Encoder) -> Pairing:
        pairing_class = pairing_choices.get_class(args.pairing)
        assert pairing_class is not None
        return pairing_class(
            args.teacher_layers,
            teacher.config.dim,
            args.distance,
            **args.pairing_conf,
        )

    @classmethod
    def finished_encoder(cls, objective: nn.Module) -> Encoder:
        """Return the student."""
        assert isinstance(objective, Distillation)
        return objective.student


class RecoverTask(DistillTask):
    """Distils a teacher into a student of given shape."""

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add the student."""
        super().add_task_arguments(parser)
        parser.add_argument("--student", help="Directory of the student to start from")
        parser.set_defaults(required=["output_dir", "teacher", "student"])

    @classmethod
    def build_objective(cls, args: argparse.Namespace) -> Distillation:
        """Load both encoders and pair their layers."""
        teacher = load_encoder(args.teacher)
        student = load_encoder(args.student, dropout=0.0)
        return Distillation(teacher, student, cls._pairing(args, teacher))


class DistillPruneTask(DistillTask):
    """Distils a teacher into its own gated copy under a constraint."""

    num_optimizers = 2
    trainer = GatedTrainer

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add gates and constraint; the student is the teacher."""
        super().add_task_arguments(parser)
        add_pruning_arguments(parser)
        parser.set_defaults(required=["output_dir", "teacher", "units"])

    @classmethod
    def build_objective(cls, args: argparse.Namespace) -> Distillation:
        """Gate a copy of the teacher and constrain it."""
        teacher = load_encoder(args.teacher)
        student = load_encoder(args.teacher, dropout=0.0)
        constraint = gate_and_constrain(args, student)
        return Distillation(teacher, student, cls._pairing(args, teacher), constraint)

    @classmethod
    def build_optimizers(
        cls, args: argparse.Namespace, model: nn.Module
    ) -> list[torch.optim.Optimizer]:
        """Separate weights, gates and multipliers."""
        assert isinstance(model, TrainingModel)
        objective = model.objective
        assert isinstance(objective, Distillation)
        assert objective.constraint is not None
        return build_optimizers(args, model, objective.constraint, objective.after_step)

    @classmethod
    def load_gated(cls, args: argparse.Namespace) -> tuple[Encoder, Constraint]:
        """Return the gated encoder of a finished training, and its constraint."""
        objective = cls.load_latest(args).objective
        assert isinstance(objective, Distillation)
        assert objective.constraint is not None
        return objective.student, objective.constraint

    @classmethod
    def finish(cls, args: argparse.Namespace) -> None:
        """Leave the gated student to the removal."""
