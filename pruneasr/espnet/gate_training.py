"""What every training with gates shares, whatever its objective.

The options, the constraint, and two optimisers, each with ESPnet's own options:
``optim`` for the weights, clipped by ``grad_clip`` and scheduled; ``optim2`` for the
gates and, ascending, for the multipliers: neither clipped nor decayed. Adam moves the
multipliers by their learning rate a step however near the target is, and back no
faster; in a short training they need a lower one than the gates (``multiplier_lr`` of
``constraint_conf``), or the gates close far beyond the target before they have turned.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from espnet2.tasks.abs_task import optim_classes
from espnet2.train.trainer import TrainerOptions
from espnet2.utils.nested_dict_action import NestedDictAction
from espnet2.utils.types import str2bool
from torch import nn

from pruneasr.encoder import Encoder, EncoderConfig
from pruneasr.espnet.schedulers import num_batches
from pruneasr.espnet.trainer import SafeTrainer
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.latency import load_table
from pruneasr.pruning.units import UNITS, attach_gates, find_gates

# Of the training, until the target is that of its end: [W23] section 3.1
WARMUP = 0.07


def add_pruning_arguments(parser: argparse.ArgumentParser) -> None:
    """Add gates and constraint."""
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
        "denominator, reference_sec, latency_table (of pruneasr.bin.latency), warmup "
        "(share of the training, 0.07), multiplier_lr (default: lr of optim2)",
    )


def constraint_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return constraint_conf without what is null, its numbers as numbers.

    YAML 1.1 as PyYAML reads it takes ``1e-2`` for a string.

    Raises:
        ValueError: if an option is unknown, no number where one is due, or out of
            its range.
    """
    conf = {
        key: value for key, value in args.constraint_conf.items() if value is not None
    }
    known = {"warmup", "multiplier_lr", *inspect.signature(Constraint).parameters}
    known -= {"config", "units", "warmup_steps"}
    if unknown := sorted(conf.keys() - known):
        raise ValueError(
            f"expected constraint_conf with {', '.join(sorted(known))}; found "
            f"{', '.join(unknown)}"
        )
    for name in ("target", "reference_sec", "warmup", "multiplier_lr"):
        if name in conf:
            conf[name] = _numbers(name, conf[name])
    if not 0 <= (warmup := conf.setdefault("warmup", WARMUP)) < 1:
        raise ValueError(
            "expected a warmup of constraint_conf from 0 to below 1, a share of the "
            f"training; found {warmup:g}"
        )
    if not conf.get("multiplier_lr", 1) > 0:
        raise ValueError(
            f"expected a multiplier_lr above 0; found {conf['multiplier_lr']:g}"
        )
    return conf


def _numbers(name: str, value: Any) -> Any:
    """Return a finite number, or a mapping with such values."""
    if isinstance(value, Mapping):
        return {key: _numbers(f"{name}.{key}", one) for key, one in value.items()}
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(
            f"expected a finite number as {name} of constraint_conf, such as 0.01 or "
            f"1.0e-2; found {value!r}"
        )
    return number


def gate_and_constrain(args: argparse.Namespace, encoder: Encoder) -> Constraint:
    """Attach gates to an encoder, in place, and return what constrains them.

    Raises:
        ValueError: if a unit is unknown, or the target cannot be reached.
    """
    attach_gates(encoder, args.units, args.ste)
    return build_constraint(args, encoder.config)


def build_constraint(args: argparse.Namespace, config: EncoderConfig) -> Constraint:
    """Turn the warm-up from a share of the training into steps.

    Raises:
        ValueError: as in :func:`constraint_options` and ``Constraint``.
    """
    conf = constraint_options(args)
    conf.pop("multiplier_lr", None)  # build_optimizers uses it
    steps = round(conf.pop("warmup") * num_batches(args) / args.accum_grad)
    if (table := conf.get("latency_table")) is not None:
        conf["latency_table"] = load_table(Path(table))
    return Constraint(config, args.units, warmup_steps=steps, **conf)


class GatedTrainer(SafeTrainer):
    """Leaves clipping to ``build_optimizers``: ESPnet clips all parameters together."""

    @classmethod
    def build_options(cls, args: argparse.Namespace) -> TrainerOptions:
        """Return ESPnet's options, without its clipping."""
        options = super().build_options(args)
        return dataclasses.replace(options, grad_clip=math.inf)


def build_optimizers(
    args: argparse.Namespace,
    model: nn.Module,
    constraint: Constraint,
    after_step: Callable[[], None],
) -> list[torch.optim.Optimizer]:
    """Separate weights, gates and multipliers; the weights alone are clipped.

    Args:
        args: of the task.
        model: holds the gated encoder and the constraint.
        constraint: its parameters ascend.
        after_step: called after each optimiser step.

    Raises:
        ValueError: if ESPnet is to scale the loss: its trainer undoes that twice for
            the second optimiser, and the straight-through estimator would clip scaled
            gradients. If weights are to be told apart or shared out among GPUs.
    """
    for name in ("exclude_weight_decay", "sharded_ddp"):
        if getattr(args, name, False):
            raise ValueError(
                f"expected {name}: false in a training with gates, which makes its "
                "own optimizers; found true"
            )
    if getattr(args, "use_amp", False):
        raise ValueError(
            "expected use_amp: false in a training with gates, found true; half "
            "precision is `autocast: bfloat16`, which needs no scaled loss"
        )
    gates = [gate.log_alpha for gate in find_gates(model).values()]
    multipliers = list(constraint.parameters())
    others = {id(p) for p in gates + multipliers}
    weights = [p for p in model.parameters() if id(p) not in others]
    optimizer = optim_classes[args.optim](weights, **args.optim_conf)
    ascending = {"params": multipliers, "maximize": True}
    if (rate := constraint_options(args).get("multiplier_lr")) is not None:
        ascending["lr"] = rate
    optimizer2 = optim_classes[args.optim2](
        [{"params": gates}, ascending], **args.optim2_conf
    )

    def clip(*_: Any) -> None:
        nn.utils.clip_grad_norm_(weights, args.grad_clip, args.grad_clip_type)

    optimizer.register_step_pre_hook(clip)
    optimizer2.register_step_post_hook(lambda *_: after_step())
    return [optimizer, optimizer2]
