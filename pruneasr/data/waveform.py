"""Resample waveforms and write them to disk.

The one place where audio is made rather than read; what is done to it is decided by the
callers.
"""

from pathlib import Path

import numpy as np
import soundfile


def resample(samples: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """Change the sampling rate with a windowed-sinc low-pass filter.

    Args:
        samples: (num_samples,) float32.
        rate: Sampling rate of ``samples`` in Hz.
        sample_rate: Wanted sampling rate in Hz.

    Returns:
        (ceil(num_samples * sample_rate / rate),) float32.
    """
    # torch takes seconds to import and most corpora need no resampling.
    import torch
    from torchaudio.functional import resample as sinc_resample

    resampled = sinc_resample(torch.from_numpy(samples), rate, sample_rate)
    return np.asarray(resampled.numpy())


def write_flac(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """Write 16-bit FLAC so that a killed process never leaves half a file.

    Args:
        path: Where to write.
        samples: (num_samples,) float in -1..1 or int16.
        sample_rate: Samples per second.
    """
    partial = path.with_name(f".{path.name}.partial")
    soundfile.write(partial, samples, sample_rate, format="FLAC", subtype="PCM_16")
    partial.replace(path)
