"""Measures encoders and the models they are compared with: one row each."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import precision, runner
from pruneasr.bench.references import Reference, references
from pruneasr.bench.timing import (
    alternate,
    check_enough,
    ratio,
    run_all,
    synchronize,
)
from pruneasr.encoder import Encoder
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.widths import config_widths


@dataclasses.dataclass(frozen=True)
class Setting:
    """How to measure.

    Attributes:
        device: of torch; ``dtype``: its name; ``backend``: see bench.backends.
        batch: utterances at once; ``seconds``: of each.
        repeats: rounds over all models.
    """

    device: str = "cpu"
    dtype: str = "float32"
    backend: str = "eager"
    batch: int = 1
    seconds: float = 10.0
    repeats: int = 15

    def __post_init__(self) -> None:
        """Refuse what does not exist.

        Raises:
            ValueError: if ONNX Runtime should run in another type than float32 or
                elsewhere than on the CPU, or there is nothing to run.
        """
        found = (self.dtype, self.device)
        if self.backend.startswith("onnx") and found != ("float32", "cpu"):
            raise ValueError(
                f"expected float32 on the cpu with backend {self.backend}; found "
                f"{self.dtype} on {self.device}"
            )
        if self.batch < 1:
            raise ValueError(f"expected a batch of at least 1; found {self.batch}")

    def __str__(self) -> str:
        return self.of(f"{self.batch} x {self.seconds:g} s")

    def of(self, batch: str) -> str:
        """Name the setting with a batch of another kind."""
        threads = f", {torch.get_num_threads()} threads" if self.device == "cpu" else ""
        return f"{self.backend}, {self.dtype}, batch {batch}, {self.device}{threads}"


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of one model.

    Attributes:
        parameters, macs: counted from the widths; MACs of the audio that was run.
        seconds: of every round.
        audio_sec: seconds of audio in a round.
        peak_bytes: largest memory in use beyond the weights.
        faster: model -> how many times faster than it, the median over the rounds.
        backend: that ran it.
    """

    name: str
    parameters: int
    macs: int
    seconds: Sequence[float]
    audio_sec: float
    peak_bytes: int
    faster: Mapping[str, float]
    backend: str = "eager"

    @property
    def median(self) -> float:
        """Median time of a round in seconds."""
        return statistics.median(self.seconds)

    @property
    def macs_per_sec(self) -> float:
        """Multiply-accumulates per second."""
        return self.macs / self.median

    def quantile(self, share: float) -> float:
        """Return the time in seconds below which a share of the rounds stays."""
        return float(torch.tensor(self.seconds).double().quantile(share))


def measure(
    encoders: Mapping[str, Encoder],
    setting: Setting,
    audio: Sequence[Tensor] | None = None,
    others: Mapping[str, Reference] | None = None,
) -> list[Row]:
    """Measure encoders, the first of them dense, beside the other libraries' models.

    Args:
        encoders: name -> encoder in evaluation mode.
        setting: how to run.
        audio: utterances (T,) to run one by one instead of noise.
        others: name -> the first one's architecture in another library; None makes
            them.

    Raises:
        ValueError: if the first encoder is not dense, an utterance is too short or
            there is no round.
    """
    dense, *_ = encoders
    if others is None:
        others = references(encoders[dense].config)
    models = {**others, **encoders}
    configs = {name: encoders.get(name, encoders[dense]).config for name in models}
    if audio is None:
        audio = [torch.randn(round(setting.seconds * SAMPLE_RATE))]
        lengths = [setting.seconds] * setting.batch
    else:
        lengths = [len(waveform) / SAMPLE_RATE for waveform in audio]
    for encoder in encoders.values():
        check_enough(encoder.config, min(lengths), setting.repeats)
    batches = [waveform.expand(setting.batch, -1) for waveform in audio]
    # other libraries' models are the yardstick: torch as it is
    backends = {n: setting.backend if n in encoders else "eager" for n in models}
    calls = {}
    for name, model in models.items():
        run = runner(model.to(setting.device), backends[name])
        calls[name] = functools.partial(run_all, run, batches, setting.device)
    with precision(setting.device, setting.dtype):
        peaks = {name: peak_memory(run, setting.device) for name, run in calls.items()}
        seconds = alternate(calls, setting.repeats)
    compared = [name for name in calls if name not in encoders or name == dense]
    return [
        Row(
            name=name,
            parameters=int(parameters(config, config_widths(config)).total),
            macs=sum(
                int(macs(config, config_widths(config), s).total) for s in lengths
            ),
            seconds=seconds[name],
            audio_sec=sum(lengths),
            peak_bytes=peaks[name],
            faster={other: ratio(seconds[other], seconds[name]) for other in compared},
            backend=backends[name],
        )
        for name, config in configs.items()
    ]


def peak_memory(call: Callable[[], object], device: str) -> int:
    """Return the bytes that a call needs at most beyond what was in use before.

    The call runs twice; the first time pays for what stays (kernels, packed weights).
    On the CPU it is the growth of the resident set, as Linux with glibc keeps it.
    """
    call()
    if device != "cpu":
        synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return torch.cuda.max_memory_allocated() - before
    # what was freed and lies idle in the heap would serve the call unseen
    ctypes.CDLL(None).malloc_trim(0)
    # proc(5): 5 sets the peak back to what is resident now
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status_bytes("VmRSS")
    call()
    return _status_bytes("VmHWM") - before


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"expected {field} in /proc/self/status; use Linux")
