"""Real-time factors of encoders, measured side by side in one process.

One pass over the beginning of a test set with batch size 1, encoder after encoder,
several times over, so that noise of the machine meets all of them alike. Reading audio
is not counted.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Mapping
from pathlib import Path

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import Runner, runner
from pruneasr.bench.timing import Key, alternate, read_audio, run_all
from pruneasr.encoder import load_encoder

# Steady to a few percent; whole sets would take half an hour for a curve of 70 encoders
AUDIO_SEC = 60
PASSES = 5


def speed_note(test_set: str) -> str:
    """Return what a report says of its column RTF.

    Args:
        test_set: whose audio is timed.
    """
    return (
        "RTF is the encoder's computing time per second of audio, the first "
        f"{AUDIO_SEC} s of {test_set}: float32, batch 1, median of {PASSES} passes, "
        "all encoders in turn in one process."
    )


def real_time_factors(
    encoders: Mapping[Key, Path], wav_scp: Path, repeats: int = PASSES
) -> dict[Key, float]:
    """Return seconds of computing per second of audio, the median of the passes.

    Args:
        encoders: name -> encoder directory.
        wav_scp: audio of the test set, 16 kHz mono.
        repeats: passes over its first :data:`AUDIO_SEC`.
    """
    audio = [waveform[None] for waveform in read_audio(wav_scp, AUDIO_SEC)]
    total_sec = sum(waveform.size(1) for waveform in audio) / SAMPLE_RATE
    runners: dict[Key, Runner] = {
        name: runner(load_encoder(path).eval(), "eager")
        for name, path in encoders.items()
    }
    for run in runners.values():  # the first pass pays for memory and threads
        run_all(run, audio[:3])
    calls = {n: functools.partial(run_all, r, audio) for n, r in runners.items()}
    seconds = alternate(calls, repeats)
    return {
        name: statistics.median(values) / total_sec for name, values in seconds.items()
    }
