"""The objective of distill-pruning and of plain distillation ([W23] Eq. 5).

    L = sum over pairs of distance(teacher layer, student layer) + Lagrangian

Without a constraint (and gates) it is the recovery of a removed model, or the
distillation of any smaller student.

Shapes: B batch, T samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from pruneasr.distill.pairing import Pairing
from pruneasr.encoder import Encoder
from pruneasr.encoder.feature_extractor import frame_mask
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import clamp_gates, find_gates, gate_means
from pruneasr.pruning.widths import expected_widths


class Distillation(nn.Module):
    """Teacher, student, the pairing of their layers, and the constraint if any.

    The teacher is frozen, always in evaluation mode, and no part of the state dict.
    """

    step: Tensor

    def __init__(
        self,
        teacher: Encoder,
        student: Encoder,
        pairing: Pairing,
        constraint: Constraint | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            teacher: frozen here.
            student: with gates if there is a constraint.
            pairing: of hidden states.
            constraint: on the student's expected widths.

        Raises:
            ValueError: if the two differ in frames or dimension, the pairing names a
                layer that does not exist, or there are gates but no constraint.
        """
        super().__init__()
        for name in ("dim", "hop", "receptive_field"):
            found = getattr(teacher.config, name), getattr(student.config, name)
            if found[0] != found[1]:
                raise ValueError(
                    f"teacher and student must agree in {name}; found {found}"
                )
        pairing.check(len(teacher.blocks), len(student.blocks))
        if bool(find_gates(student)) != (constraint is not None):
            raise ValueError("gates need a constraint, and a constraint needs gates")
        self._teacher = (teacher.eval().requires_grad_(False),)
        self.student = student
        self.pairing = pairing
        self.constraint = constraint
        self.register_buffer("step", torch.tensor(0))

    @property
    def teacher(self) -> Encoder:
        """The frozen teacher; in a tuple, to stay out of checkpoints."""
        return self._teacher[0]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move the teacher along when the module is moved."""
        self.teacher._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def forward(
        self, waveforms: Tensor, lengths: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of waveforms (B, T) with lengths (B,), and what to log.

        ``frames`` is the number of frames that the distance is a mean of.
        """
        with torch.inference_mode():
            teacher, frame_lengths = self.teacher(
                waveforms, lengths, max(self.pairing.teacher_layers)
            )
        student, _ = self.student(waveforms, lengths)
        valid = frame_mask(frame_lengths, student[-1].size(1))
        loss, pairs = self.pairing(teacher, student, valid, living_layers(self.student))
        stats = {"distance": loss.detach(), "frames": valid.sum().float()}
        for teacher_layer, student_layer in pairs.items():
            stats[f"pair_{teacher_layer}"] = loss.new_tensor(float(student_layer))
        if self.constraint is not None:
            lagrangian, terms = self.constraint(
                expected_widths(self.student), int(self.step)
            )
            loss = loss + lagrangian
            stats |= terms | gate_means(self.student)
        return loss, stats

    @torch.no_grad()
    def after_step(self) -> None:
        """Count an optimiser step and bring the gates back within their limits."""
        self.step += 1
        clamp_gates(self.student)


def living_layers(student: Encoder) -> list[int]:
    """Return the hidden states of blocks that have a living branch."""
    gates = find_gates(student)

    def lives(unit: str, i: int, exists: bool) -> bool:
        gate = gates.get((unit, i))
        return exists and (gate is None or bool(gate.keep().any()))

    return [
        i + 1
        for i, block in enumerate(student.config.blocks)
        if lives("mha_layer", i, block.attention)
        or lives("ffn_layer", i, block.feed_forward)
    ]
