"""The step of distil-pruning: what the gates cost, and where the time goes.

Three steps are run in turn on the same noise: that of a student with gates, the same
without them (plain distillation), and the former in bfloat16. Reading audio is not
part of it; the trainer logs its own speed (``audio_sec_per_sec``).
"""

from __future__ import annotations

import copy
import statistics
import time

import torch
from torch import Tensor

from pruneasr.bench.timing import SAMPLE_RATE, ratio, synchronize
from pruneasr.distill.model import Distillation
from pruneasr.distill.pairing import FreePairing
from pruneasr.encoder import Encoder
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import attach_gates

# The units of [W23]
UNITS = ("qk", "vo", "ffn", "mha_layer", "ffn_layer")
PARTS = ("teacher", "student forward", "backward", "optimiser")
# Step -> seconds of each part, one entry per round
Times = dict[str, dict[str, list[float]]]


def training_times(
    teacher: Encoder, *, batch: int, seconds: float, repeats: int
) -> Times:
    """Return the times of every part of every step.

    Args:
        teacher: dense; the students are copies of it.
        batch: utterances of a step.
        seconds: of each.
        repeats: rounds, after one that is not counted.
    """
    waveforms = 0.1 * torch.randn(batch, round(seconds * SAMPLE_RATE))
    lengths = torch.full((batch,), waveforms.size(1))
    steps = {
        "without gates": _Step(teacher, gates=False, autocast=False),
        "with gates": _Step(teacher, gates=True, autocast=False),
        "with gates, bfloat16": _Step(teacher, gates=True, autocast=True),
    }
    times: Times = {name: {part: [] for part in PARTS} for name in steps}
    for i in range(repeats + 1):
        for name, step in steps.items():
            for part, value in step(waveforms, lengths).items():
                if i:  # the first round pays for memory, kernels, optimiser states
                    times[name][part].append(value)
    return times


def markdown(times: Times) -> str:
    """Return a table: milliseconds of every part, and the whole against no gates."""
    columns = ["step", *(f"{part} ms" for part in PARTS), "whole ms", "x without gates"]
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join(["---"] + ["---:"] * (len(columns) - 1)) + "|",
    ]
    wholes = {
        name: [sum(round_) for round_ in zip(*parts.values(), strict=True)]
        for name, parts in times.items()
    }
    plain = wholes["without gates"]
    for name, parts in times.items():
        values = [*(parts[part] for part in PARTS), wholes[name]]
        cells = [f"{1000 * statistics.median(seconds):.0f}" for seconds in values]
        # how many times the time without gates, hence the turned ratio
        cells.append(f"{1 / ratio(plain, wholes[name]):.3f}")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines) + "\n"


class _Step:
    """One kind of training step, timed part by part."""

    def __init__(self, teacher: Encoder, *, gates: bool, autocast: bool) -> None:
        student = copy.deepcopy(teacher).train()
        constraint = None
        if gates:
            attach_gates(student, UNITS)
            constraint = Constraint(student.config, UNITS, target=0.5, warmup_steps=100)
        layers = [max(1, len(teacher.blocks) // 2), len(teacher.blocks)]
        pairing = FreePairing(layers, teacher.config.dim, "mse")
        teacher = copy.deepcopy(teacher)
        self.objective = Distillation(teacher, student, pairing, constraint)
        self.optimizer = torch.optim.AdamW(self.objective.parameters(), lr=1e-5)
        self.autocast = autocast
        self.moments = {"begin": 0.0, "end": 0.0}  # of the teacher
        teacher.register_forward_pre_hook(lambda *_: self._note("begin"))
        teacher.register_forward_hook(lambda *_: self._note("end"))

    def __call__(self, waveforms: Tensor, lengths: Tensor) -> dict[str, float]:
        """Do the step and return the seconds of its parts."""
        start = _now()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            loss, _ = self.objective(waveforms, lengths)
        forward = _now()
        loss.backward()
        backward = _now()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.objective.after_step()
        end = _now()
        teacher = self.moments["end"] - self.moments["begin"]
        parts = (teacher, forward - start - teacher, backward - forward, end - backward)
        return dict(zip(PARTS, parts, strict=True))

    def _note(self, moment: str) -> None:
        self.moments[moment] = _now()


def _now() -> float:
    synchronize()
    return time.perf_counter()
