"""A tiny encoder on disk, and frontends made from it."""

import pytest
import torch
from task_training import SEP_MAC, UNITS, task_options
from tiny import VARIANTS, random_encoder, tiny_config

from pruneasr.encoder import save_encoder
from pruneasr.espnet.frontend import PrunedSSLFrontend
from pruneasr.espnet.prune_task import TASKS


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


@pytest.fixture
def build(tmp_path):
    """Return a function that builds a gated model and its optimisers."""

    def make(task="asr", variant="wavlm-base", constraint=None, **options):
        ckpt = tmp_path / "encoder"
        save_encoder(random_encoder(tiny_config(**VARIANTS[variant])), ckpt)
        units = options.pop("units", UNITS)
        args = task_options(task, ckpt, units, constraint or SEP_MAC, **options)
        model = TASKS[task].build_model(args)
        return model, TASKS[task].build_optimizers(args, model), args

    return make
