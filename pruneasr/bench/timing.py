"""Times of several callables, measured in turn in one process.

Machines differ, and one machine differs from minute to minute; what stays is the ratio
of two things that were measured alternately.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.data.audio import read_mono
from pruneasr.data.datadir import read_table
from pruneasr.encoder import EncoderConfig

Key = TypeVar("Key", bound=Hashable)


def alternate(
    calls: Mapping[Key, Callable[[], object]], repeats: int
) -> dict[Key, list[float]]:
    """Return the seconds that each call took, one entry per round of all calls.

    Args:
        calls: name -> what to time; each has been called before, so that memory,
            threads and kernels are there.
        repeats: rounds.
    """
    seconds: dict[Key, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            synchronize()
            start = time.perf_counter()
            call()
            synchronize()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(reference: list[float], seconds: list[float]) -> float:
    """Return how many times faster than a reference: the median over the rounds."""
    pairs = zip(reference, seconds, strict=True)
    return statistics.median(theirs / ours for theirs, ours in pairs)


def use_device(name: str) -> None:
    """Let :func:`synchronize` and statistics of memory mean a device, if a GPU.

    Raises:
        ValueError: There is no such device.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"expected a device as cpu or cuda:0; found {name}") from error
    if device.type == "cpu":
        return
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = device.index or 0
    if device.type != "cuda" or index >= count:
        raise ValueError(
            f"expected the CPU or one of {count} GPUs that torch can use here; found "
            f"{name}. Take --device cpu, or see whether nvidia-smi names the GPU"
        )
    torch.cuda.set_device(index)


def check_enough(config: EncoderConfig, seconds: float, repeats: int) -> None:
    """Refuse to measure what would give no frame, or nothing at all.

    Args:
        config: of the encoder.
        seconds: of the shortest utterance.
        repeats: rounds.

    Raises:
        ValueError: The utterance is too short or there is no round.
    """
    shortest = config.receptive_field / SAMPLE_RATE
    if not seconds >= shortest or repeats < 1:
        raise ValueError(
            f"expected at least {shortest} seconds and 1 repeat; found {seconds} and "
            f"{repeats}"
        )


def synchronize() -> None:
    """Wait until the GPU, if there is one, has done what it was told.

    Of several it is the one of :func:`use_device`.
    """
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def read_audio(wav_scp: Path, enough_sec: float = math.inf) -> list[Tensor]:
    """Read the utterances (T,) of a wav.scp whose entries are files, 16 kHz mono.

    Args:
        wav_scp: ``utterance path`` in every line.
        enough_sec: read no further than the utterance that reaches it.

    Raises:
        ValueError: There are none.
    """
    utterances: list[Tensor] = []
    missing = enough_sec * SAMPLE_RATE
    for path in read_table(wav_scp).values():
        if missing <= 0:
            break
        samples = read_mono(path)
        utterances.append(torch.from_numpy(samples))
        missing -= len(samples)
    if not utterances:
        raise ValueError(f"expected utterances in {wav_scp}, found none")
    return utterances


def run_all(
    run: Callable[[Tensor], object], batches: Sequence[Tensor], device: str = "cpu"
) -> None:
    """Run a model on one batch of waveforms (B, T) after the other."""
    for batch in batches:
        run(batch.to(device))
