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


def synchronize() -> None:
    """Wait until the GPU, if there is one, has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def read_audio(wav_scp: Path, enough_sec: float = math.inf) -> list[Tensor]:
    """Read the utterances (T,) of a wav.scp whose entries are files, 16 kHz mono.

    Args:
        wav_scp: ``utterance path`` in every line.
        enough_sec: read no further than the utterance that reaches it.
    """
    utterances: list[Tensor] = []
    missing = enough_sec * SAMPLE_RATE
    for path in read_table(wav_scp).values():
        if missing <= 0:
            break
        samples = read_mono(path)
        utterances.append(torch.from_numpy(samples))
        missing -= len(samples)
    return utterances


def run_all(
    run: Callable[[Tensor], object], batches: Sequence[Tensor], device: str = "cpu"
) -> None:
    """Run a model on one batch of waveforms (B, T) after the other."""
    for batch in batches:
        run(batch.to(device))
