"""Checkpoints of DPHuBERT: already pruned."""

import pytest
import torch
from dphubert_models import dphubert
from reference_models import difference

from pruneasr.encoder.interop import import_encoder


def read(checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / "pruned.pth")
    return import_encoder(str(tmp_path / "pruned.pth"))


@pytest.mark.parametrize("family", ["wavlm", "hubert"])
def test_widths(family, tmp_path):
    config = read(dphubert(family, "base").checkpoint, tmp_path).encoder.config
    assert config.family == family
    assert config.channel_scale
    assert [block.attention for block in config.blocks] == [True, False, True]
    assert [block.ffn for block in config.blocks] == [20, 3, 0]
    assert [block.feed_forward for block in config.blocks] == [True, True, False]
    heads = [[head.index for head in block.heads] for block in config.blocks]
    # which heads of a HuBERT were kept is not recorded
    assert heads == ([[0, 2], [], [1]] if family == "wavlm" else [[0, 1], [], [0]])


def test_first_attention_gone_takes_the_position_bias_along(tmp_path):
    """That is what DPWavLM's own code computes: the bias was stored there."""
    pruned = dphubert("wavlm", "base", heads=(None, [0, 1, 2], [1]))
    imported = read(pruned.checkpoint, tmp_path)
    assert imported.encoder.relative_bias is None
    assert difference(imported.encoder, pruned.reference, padded=True) <= 1e-5
    gates = [name for name in imported.not_converted if "gru_rel_pos" in name]
    assert len(gates) == 6


def test_norms_of_absent_branches_are_named(tmp_path):
    imported = read(dphubert("hubert", "large").checkpoint, tmp_path)
    layers = "encoder.transformer.layers"
    for name in (f"{layers}.1.layer_norm.bias", f"{layers}.2.final_layer_norm.weight"):
        assert name in imported.not_converted
    assert "distill_linear_projs" in imported.not_converted


def test_missing_option(tmp_path):
    checkpoint = dphubert("hubert", "base").checkpoint
    del checkpoint["config"]["normalize_waveform"]
    with pytest.raises(ValueError, match="normalize_waveform"):
        read(checkpoint, tmp_path)


def test_unpruned_checkpoint_with_gates(tmp_path):
    checkpoint = dphubert("hubert", "base").checkpoint
    name = "feature_extractor.conv_layers.0.hard_concrete.log_alpha"
    checkpoint["state_dict"][name] = torch.zeros(8)
    with pytest.raises(ValueError, match="hard_concrete"):
        read(checkpoint, tmp_path)


def test_gate_constants_of_another_number_of_heads(tmp_path):
    checkpoint = dphubert("wavlm", "base").checkpoint
    name = "encoder.transformer.layers.0.attention.gru_rel_pos_const"
    checkpoint["state_dict"][name] = torch.ones(1, 2, 1, 1)
    with pytest.raises(ValueError, match=r"\(1, 3, 1, 1\)"):
        read(checkpoint, tmp_path)
