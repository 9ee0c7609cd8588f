"""Real-time factors of encoders, measured side by side in one process.

One pass over a test set with batch size 1, encoder after encoder, several times over,
so that noise of the machine meets all of them alike. Reading audio is not counted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from pruneasr.encoder import Encoder, load_encoder

SAMPLE_RATE = 16000


def real_time_factors(
    encoders: Mapping[str, Path], wav_scp: Path, repeats: int = 5
) -> dict[str, float]:
    """Return seconds of computing per second of audio, the median of the passes.

    Args:
        encoders: name -> encoder directory.
        wav_scp: audio of the test set, 16 kHz mono.
        repeats: passes over the set.
    """
    lines = wav_scp.read_text(encoding="utf-8").splitlines()
    audio = [
        torch.from_numpy(soundfile.read(line.split(maxsplit=1)[1], dtype="float32")[0])
        for line in lines
    ]
    total_sec = sum(len(waveform) for waveform in audio) / SAMPLE_RATE
    models = {name: load_encoder(path).eval() for name, path in encoders.items()}
    for model in models.values():  # the first pass pays for memory and threads
        _time_pass(model, audio[:3])
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(repeats):
        for name, model in models.items():
            seconds[name].append(_time_pass(model, audio))
    return {
        name: statistics.median(values) / total_sec for name, values in seconds.items()
    }


@torch.inference_mode()
def _time_pass(model: Encoder, audio: list[Tensor]) -> float:
    start = time.perf_counter()
    for waveform in audio:
        model(waveform[None])
    return time.perf_counter() - start
