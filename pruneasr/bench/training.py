"""The step of distill-pruning: what the gates cost, and where the time goes.

Several steps are run in turn on the same synthetic noise: that of a student without
gates (plain distillation), that with them, the latter in bfloat16, and with activation
checkpointing. Audio is read from files within the step; a training reads it beside the
step, in other processes.

gates are the draw, the products with what is gated, the constraint, the means for the
log and the clamping; their share of the backward pass is counted there.
"""

from __future__ import annotations

import copy
import dataclasses
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile
import torch
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import precision
from pruneasr.bench.clock import Clock
from pruneasr.bench.measure import peak_memory
from pruneasr.bench.timing import check_enough, ratio
from pruneasr.distill.model import Distillation
from pruneasr.distill.pairing import FreePairing
from pruneasr.encoder import Encoder
from pruneasr.encoder.activation_checkpointing import checkpoint_activations
from pruneasr.markdown import markdown_table
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import attach_gates, find_gates

# The units of [W23]
UNITS = ("qk", "vo", "ffn", "mha_layer", "ffn_layer")
PARTS = ("data", "teacher", "student forward", "gates", "backward", "optimiser")
WITHOUT, WITH = "without gates", "with gates"
BFLOAT16, CHECKPOINTED = f"{WITH}, bfloat16", f"{WITH}, activation checkpointing"
STEPS: dict[str, dict[str, Any]] = {
    WITHOUT: {},
    WITH: {"gates": True},
    BFLOAT16: {"gates": True, "dtype": "bfloat16"},
    CHECKPOINTED: {"gates": True, "checkpointing": True},
}


@dataclasses.dataclass(frozen=True)
class StepTimes:
    """What was measured of one kind of step.

    Attributes:
        parts: part -> seconds, one entry per round.
        audio_sec: seconds of audio in a step.
        peak_bytes: largest memory in use beyond weights and optimiser states.
    """

    parts: Mapping[str, Sequence[float]]
    audio_sec: float
    peak_bytes: int

    @property
    def wholes(self) -> list[float]:
        """Seconds of every round."""
        return [sum(parts) for parts in zip(*self.parts.values(), strict=True)]

    def median(self, part: str) -> float:
        """Median seconds of a part."""
        return statistics.median(self.parts[part])


def training_times(
    teacher: Encoder,
    *,
    batch: int,
    seconds: float,
    repeats: int,
    device: str = "cpu",
) -> dict[str, StepTimes]:
    """Return the times of every part of every step of :data:`STEPS`.

    Args:
        teacher: dense; the students are copies of it.
        batch: utterances of a step.
        seconds: of each.
        repeats: rounds, after two of each step that are not counted.
        device: of torch.

    Raises:
        ValueError: if the utterances are too short or there is no round.
    """
    check_enough(teacher.config, seconds, repeats)
    with tempfile.TemporaryDirectory() as directory:
        paths = [Path(directory, f"{i}.flac") for i in range(batch)]
        for path in paths:
            noise = 0.1 * torch.randn(round(seconds * SAMPLE_RATE))
            soundfile.write(path, noise.numpy(), SAMPLE_RATE)
        steps = {n: _Step(teacher, paths, device, **o) for n, o in STEPS.items()}
        peaks = {name: peak_memory(step, device) for name, step in steps.items()}
        rounds = [
            {name: steps[name]() for name in _rotated(list(steps), number)}
            for number in range(repeats)
        ]
    return {
        name: StepTimes(
            {part: [r[name].get(part, 0.0) for r in rounds] for part in PARTS},
            batch * seconds,
            peaks[name],
        )
        for name in steps
    }


def _rotated(names: list[str], number: int) -> list[str]:
    """Return the names with another one first in every round: none profits by place."""
    first = number % len(names)
    return names[first:] + names[:first]


def slower(times: Mapping[str, StepTimes], name: str, reference: str) -> float:
    """Return how many times a step takes the time of another, over the rounds."""
    return ratio(times[name].wholes, times[reference].wholes)


def training_table(times: Mapping[str, StepTimes]) -> str:
    """Return a table: milliseconds of every part, the whole, speed and memory."""
    columns = ["step", *(f"{part} ms" for part in PARTS), "whole ms"]
    columns += [f"x {WITHOUT}", "audio s/s", "peak MB"]
    rows = []
    for name, step in times.items():
        whole = statistics.median(step.wholes)
        cells = [f"{1000 * step.median(part):.0f}" for part in PARTS]
        cells += [f"{1000 * whole:.0f}", f"{slower(times, name, WITHOUT):.3f}"]
        cells += [f"{step.audio_sec / whole:.1f}", f"{step.peak_bytes / 1e6:.0f}"]
        rows.append([name, *cells])
    return markdown_table(columns, rows)


class _Step:
    """One kind of training step, timed part by part."""

    def __init__(
        self,
        teacher: Encoder,
        paths: Sequence[Path],
        device: str,
        *,
        gates: bool = False,
        dtype: str = "float32",
        checkpointing: bool = False,
    ) -> None:
        student = copy.deepcopy(teacher).train()
        constraint = None
        if gates:
            attach_gates(student, UNITS)
            constraint = Constraint(student.config, UNITS, target=0.5, warmup_steps=100)
        if checkpointing:
            checkpoint_activations(student)
        num_blocks = len(teacher.blocks)
        layers = sorted({(num_blocks + 1) // 2, num_blocks})
        pairing = FreePairing(layers, teacher.config.dim, "mse")
        teacher = copy.deepcopy(teacher)
        self.objective = Distillation(teacher, student, pairing, constraint).to(device)
        self.optimizer = torch.optim.AdamW(self.objective.parameters(), lr=1e-5)
        self.paths = paths
        self.device = device
        self.dtype = dtype
        self.clock = Clock()
        teacher.register_forward_pre_hook(self._entering("teacher"))
        teacher.register_forward_hook(self._leaving)
        if gates:
            self._time_gates()

    def __call__(self) -> dict[str, float]:
        """Do the step and return the seconds of its parts."""
        with self.clock.part("data"):
            waveforms, lengths = self._read()
        with (
            self.clock.part("student forward"),
            precision(self.device, self.dtype),
        ):
            loss, _ = self.objective(waveforms, lengths)
        with self.clock.part("backward"):
            loss.backward()
        with self.clock.part("optimiser"):
            self.optimizer.step()
            self.optimizer.zero_grad()
        with self.clock.part("gates"):
            self.objective.after_step()
        return self.clock.take()

    def _read(self) -> tuple[Tensor, Tensor]:
        audio = [soundfile.read(path, dtype="float32")[0] for path in self.paths]
        waveforms = torch.stack([torch.from_numpy(x) for x in audio]).to(self.device)
        lengths = torch.full((len(waveforms),), waveforms.size(1), device=self.device)
        return waveforms, lengths

    def _time_gates(self) -> None:
        """Charge what only a step with gates does to the gates."""
        objective, enter = self.objective, self._entering("gates")
        student, pairing = objective.student, objective.pairing
        # around the draw, itself a hook of this kind
        student.register_forward_pre_hook(enter, prepend=True)
        student.register_forward_pre_hook(self._leaving)
        for gate in find_gates(student).values():
            gate.register_forward_pre_hook(enter)
            gate.register_forward_hook(self._leaving)
        # which layers live, and after the distance the constraint and the log
        student.register_forward_hook(enter)
        pairing.register_forward_pre_hook(self._leaving)
        pairing.register_forward_hook(enter)
        objective.register_forward_hook(self._leaving)

    def _entering(self, part: str) -> Any:
        def enter(*_: object) -> None:
            # activations that are computed again belong to the backward pass, which
            # breaks off as soon as it has what it needs
            if not self.clock.inside("backward"):
                self.clock.enter(part)

        return enter

    def _leaving(self, *_: object) -> None:
        if not self.clock.inside("backward"):
            self.clock.leave()
