"""Small audio files and data directories, and how many threads all tests have."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

# The tensors of the tests are tiny: threads would only wait for each other. Before
# torch is imported, and for the processes that tests start
os.environ.setdefault("OMP_NUM_THREADS", "1")

WriteAudio = Callable[..., str]


@pytest.fixture
def write_audio(tmp_path: Path) -> WriteAudio:
    """Return a function that writes noise and returns its path."""

    def write(name: str, num_samples: int = 1600, rate: int = 16000, channels: int = 1):
        generator = np.random.default_rng(num_samples)
        samples = generator.integers(-3000, 3000, (num_samples, channels), np.int16)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate)
        return str(path)

    return write


@pytest.fixture
def write_tables(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes tables into a data directory as they are given."""

    def write(**tables: Mapping[str, str]) -> Path:
        directory = tmp_path / "data"
        directory.mkdir(exist_ok=True)
        for name, table in tables.items():
            lines = [f"{key} {value}\n" for key, value in table.items()]
            (directory / name.replace("wav_scp", "wav.scp")).write_text("".join(lines))
        return directory

    return write
