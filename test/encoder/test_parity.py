"""Converted encoders compute what the originals do, hidden state by hidden state."""

import pytest
import torch
from parity import CASES, convert
from reference_models import difference, huggingface, huggingface_module, waveforms

from pruneasr.encoder.interop import import_encoder

TOLERANCE = 1e-5


@pytest.mark.parametrize(("family", "size", "form"), CASES)
def test_parity(family, size, form, tmp_path):
    encoder, reference = convert(family, size, form, tmp_path)
    assert difference(encoder, reference, padded=False) <= TOLERANCE
    assert difference(encoder, reference, padded=True) <= TOLERANCE


def test_a_changed_weight_shows(tmp_path):
    encoder, reference = convert("wavlm", "base", "pruneasr", tmp_path)
    with torch.no_grad():
        encoder.relative_bias.embedding.weight[3, 1] += 0.1
    assert difference(encoder, reference, padded=False) > TOLERANCE


def test_position_bias_of_published_size(tmp_path):
    """320 buckets up to 800 frames, over more frames than that."""
    model = huggingface_module(
        "wavlm", "base", num_buckets=320, max_bucket_distance=800, num_hidden_layers=1
    )
    model.save_pretrained(tmp_path)
    encoder = import_encoder(str(tmp_path)).encoder
    with torch.no_grad():
        theirs = model.encoder.layers[0].attention.compute_bias(900, 900)
        assert torch.equal(encoder.relative_bias(900), theirs)


def test_hidden_states_stop_where_asked(tmp_path):
    reference = huggingface("hubert", "large")
    reference.module.save_pretrained(tmp_path)
    encoder = import_encoder(str(tmp_path)).encoder
    x, _ = waveforms()
    with torch.no_grad():
        few, _ = encoder(x, num_blocks=2)
        theirs = reference.hidden_states(x)
    assert len(few) == 3
    # without the final norm, which only what leaves the last block has passed
    torch.testing.assert_close(few[2], theirs[2], atol=TOLERANCE, rtol=0)
