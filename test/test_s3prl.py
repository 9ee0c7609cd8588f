"""The upstream, without s3prl: what its interface asks for."""

import sys
import types

import pytest
import tiny
import torch

from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.s3prl import pruned_ssl_local, register


@pytest.fixture
def encoder_dir(tmp_path):
    save_encoder(tiny.random_encoder(), tmp_path)
    return str(tmp_path)


def test_unequal_waveforms_give_the_encoders_hidden_states(encoder_dir):
    wavs = [torch.randn(4000), torch.randn(3001)]
    outputs = pruned_ssl_local(encoder_dir)(wavs)
    encoder = load_encoder(encoder_dir)
    for i, wav in enumerate(wavs):
        expected, lengths = encoder(wav[None])
        for found, alone in zip(outputs["hidden_states"], expected, strict=True):
            torch.testing.assert_close(found[i, : lengths[0]], alone[0])
    assert outputs["last_hidden_state"] is outputs["hidden_states"][-1]


def test_says_how_many_samples_a_frame_stands_for(encoder_dir):
    upstream = pruned_ssl_local(encoder_dir, model_config=None, refresh=False)
    assert upstream.get_downsample_rates("hidden_states") == 320


def test_model_config_is_refused(encoder_dir):
    with pytest.raises(ValueError, match="describes itself"):
        pruned_ssl_local(encoder_dir, model_config="config.yaml")


def test_register_adds_the_entry_to_s3prls_hub(monkeypatch, encoder_dir):
    hub = types.ModuleType("s3prl.hub")
    package = types.ModuleType("s3prl")
    package.hub = hub
    monkeypatch.setitem(sys.modules, "s3prl", package)
    monkeypatch.setitem(sys.modules, "s3prl.hub", hub)
    register()
    assert hub.pruned_ssl_local(ckpt=encoder_dir).encoder.config.dim == 32
