"""A tiny encoder on disk, and frontends made from it."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # also for the processes started here

import pytest
import tiny
import torch

from pruneasr.encoder import save_encoder
from pruneasr.espnet.frontend import PrunedSSLFrontend

torch.set_num_threads(1)


def tiny_config(**options):
    return tiny.tiny_config(**{"dim": 16, "num_heads": 2, "num_blocks": 2, **options})


@pytest.fixture(scope="session")
def config():
    return tiny_config


@pytest.fixture
def encoder_dir(tmp_path):
    """Return a function that saves a random encoder and returns its directory."""

    def save(**options):
        path = tmp_path / "encoder"
        save_encoder(tiny.random_encoder(tiny_config(**options)), path)
        return str(path)

    return save


@pytest.fixture
def frontend(encoder_dir):
    """Return a function that makes a frontend from a random encoder."""

    def make(encoder_options=None, **options):
        options.setdefault("ckpt", encoder_dir(**(encoder_options or {})))
        options.setdefault("arch", {})
        return PrunedSSLFrontend(**options)

    return make


@pytest.fixture
def batch():
    """Return two waveforms of unequal length, padded with noise."""
    torch.manual_seed(2)
    return torch.randn(2, 4000) * 0.1, torch.tensor([4000, 3001])
