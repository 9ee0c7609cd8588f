"""Distil-pruning and recovery as ESPnet tasks.

Distil-pruning has two optimisers, each with ESPnet's own options: ``optim`` for the
weights, clipped by ``grad_clip`` and scheduled; ``optim2`` for the gates and,
ascending, for the multipliers: neither clipped nor decayed.
"""

from __future__ import annotations

import argparse
from typing import Any, ClassVar

import torch
from espnet2.tasks.abs_task import optim_classes
from espnet2.train.class_choices import ClassChoices
from espnet2.utils.nested_dict_action import NestedDictAction
from espnet2.utils.types import str2bool
from torch import nn

from pruneasr.distill.model import Distillation
from pruneasr.distill.pairing import PAIRINGS, Pairing
from pruneasr.encoder import Encoder, EncoderConfig, load_encoder
from pruneasr.espnet.encoder_task import EncoderTask
from pruneasr.espnet.training_model import TrainingModel
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import UNITS, attach_gates, find_gates

pairing_choices = ClassChoices("pairing", PAIRINGS, Pairing, default="free")


class RecoverTask(EncoderTask):
    """Distils a teacher into a student of given shape."""

    class_choices_list: ClassVar[list[ClassChoices]] = [pairing_choices]

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add teacher, student and pairing."""
        super().add_task_arguments(parser)
        group = parser.add_argument_group("Distillation")
        group.add_argument("--teacher", help="Directory of the teacher")
        group.add_argument("--student", help="Directory of the student to start from")
        group.add_argument(
            "--teacher_layers",
            type=int,
            nargs="+",
            default=[3, 6, 9, 12],
            help="Hidden states of the teacher that are learned",
        )
        group.add_argument(
            "--distance", default="mse", help="mse, or l1_cosine as in DistilHuBERT"
        )
        pairing_choices.add_arguments(group)
        parser.set_defaults(required=["output_dir", "teacher", "student"])

    @classmethod
    def build_objective(cls, args: argparse.Namespace) -> Distillation:
        """Load both encoders and pair their layers."""
        teacher = load_encoder(args.teacher)
        return Distillation(
            teacher, load_encoder(args.student), cls._pairing(args, teacher)
        )

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


class DistillPruneTask(RecoverTask):
    """Distils a teacher into its own gated copy under a constraint."""

    num_optimizers = 2

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add gates and constraint; the student is the teacher."""
        super().add_task_arguments(parser)
        group = parser.add_argument_group("Pruning")
        group.add_argument(
            "--units", nargs="+", default=[], help=f"What is gated: {', '.join(UNITS)}"
        )
        group.add_argument(
            "--ste", type=str2bool, default=True, help="Straight-through estimator"
        )
        group.add_argument(
            "--constraint_conf",
            action=NestedDictAction,
            default={},
            help="Arguments of pruneasr.pruning.constraint.Constraint: kind, target, "
            "denominator, reference_sec, warmup (share of the training)",
        )
        parser.set_defaults(required=["output_dir", "teacher", "units"])

    @classmethod
    def build_objective(cls, args: argparse.Namespace) -> Distillation:
        """Gate a copy of the teacher and constrain it."""
        teacher = load_encoder(args.teacher)
        student = load_encoder(args.student or args.teacher)
        attach_gates(student, args.units, args.ste)
        constraint = cls.build_constraint(args, student.config)
        return Distillation(teacher, student, cls._pairing(args, teacher), constraint)

    @classmethod
    def build_constraint(
        cls, args: argparse.Namespace, config: EncoderConfig
    ) -> Constraint:
        """Turn the warm-up from a share of the training into steps."""
        conf = dict(args.constraint_conf)
        # 7 % of the training, [W23] section 3.1
        warmup = conf.pop("warmup", 0.07)
        steps = round(warmup * cls.total_steps(args) / args.accum_grad)
        return Constraint(config, args.units, warmup_steps=steps, **conf)

    @classmethod
    def build_optimizers(
        cls, args: argparse.Namespace, model: nn.Module
    ) -> list[torch.optim.Optimizer]:
        """Separate weights, gates and multipliers."""
        assert isinstance(model, TrainingModel)
        objective = model.objective
        assert isinstance(objective, Distillation)
        assert objective.constraint is not None
        gates = [gate.log_alpha for gate in find_gates(objective.student).values()]
        multipliers = list(objective.constraint.parameters())
        others = {id(p) for p in gates + multipliers}
        weights = [p for p in model.parameters() if id(p) not in others]
        optimizer = optim_classes[args.optim](weights, **args.optim_conf)
        optimizer2 = optim_classes[args.optim2](
            [{"params": gates}, {"params": multipliers, "maximize": True}],
            **args.optim2_conf,
        )
        # ESPnet clips all parameters together; ours are clipped here, weights alone
        max_norm, args.grad_clip = args.grad_clip, float("inf")

        def clip(*_: Any) -> None:
            nn.utils.clip_grad_norm_(weights, max_norm)

        optimizer.register_step_pre_hook(clip)
        optimizer2.register_step_post_hook(lambda *_: objective.after_step())
        return [optimizer, optimizer2]

    @classmethod
    def finish(cls, args: argparse.Namespace) -> None:
        """Leave the gated student to the removal."""
