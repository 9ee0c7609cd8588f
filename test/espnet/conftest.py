"""A tiny encoder on disk, and frontends made from it."""

import pytest
import torch
from tiny import random_encoder, tiny_config

from pruneasr.encoder import save_encoder
from pruneasr.espnet.frontend import PrunedSSLFrontend


@pytest.fixture
def encoder_dir(tmp_path):
    """Return a function that saves a random encoder and returns its directory."""

    def save(**options):
        path = tmp_path / "encoder"
        save_encoder(random_encoder(tiny_config(**options)), path)
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
