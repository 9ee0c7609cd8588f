"""Resample waveforms and write them to disk.

The one place where audio is made rather than read; what is done to it is decided by the
callers.
"""

from pathlib import Path

import numpy as np
import soundfile
import soxr  # type: ignore[import-untyped]

from pruneasr.files import whole


def resample(samples: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """Change the sampling rate with the SoX resampler at high quality.

    Args:
        samples: (num_samples,) float32.
        rate: Sampling rate of ``samples`` in Hz.
        sample_rate: Wanted sampling rate in Hz.

    Returns:
        (about num_samples * sample_rate / rate,) float32.
    """
    return np.asarray(soxr.resample(samples, rate, sample_rate))


def write_flac(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """Write 16-bit FLAC, a whole file or none.

    Args:
        path: Where to write.
        samples: (num_samples,) float in -1..1 or int16.
        sample_rate: Samples per second.
    """
    with whole(path) as partial:
        soundfile.write(partial, samples, sample_rate, format="FLAC", subtype="PCM_16")
