"""Names and layouts: both directions, every tensor once, nothing silently left."""

import dataclasses

import pytest
import torch
from tiny import LARGE, random_encoder, tiny_config

from pruneasr.encoder import HeadConfig
from pruneasr.encoder.interop.dphubert import dphubert_format
from pruneasr.encoder.interop.fairseq import fairseq_format
from pruneasr.encoder.interop.huggingface import huggingface_format
from pruneasr.encoder.interop.tables import strip_prefix, weight_norm
from pruneasr.encoder.interop.torchaudio import torchaudio_format

DATA2VEC = {"family": "data2vec", "conv_norm": "layer_norm", "pos_conv_layers": 3}
ARCHITECTURES = {
    "wavlm base": {},
    "wavlm large": LARGE,
    "hubert base": {"family": "hubert"},
    "wav2vec2 large": {"family": "wav2vec2", **LARGE},
    "data2vec": DATA2VEC,
}
FORMATS = [
    (name, form)
    for name in ARCHITECTURES
    for form in (huggingface_format, fairseq_format, torchaudio_format)
    if name != "data2vec" or form is not torchaudio_format
]


def pruned_encoder():
    config = tiny_config(channel_scale=True)
    first, second, third = config.blocks
    blocks = (
        dataclasses.replace(first, heads=(HeadConfig(1, 8, 8), HeadConfig(3, 8, 8))),
        dataclasses.replace(second, attention=False, heads=(), ffn=5),
        dataclasses.replace(third, feed_forward=False, ffn=0),
    )
    return random_encoder(dataclasses.replace(config, blocks=blocks))


@pytest.fixture(params=FORMATS, ids=lambda case: f"{case[0]}-{case[1].__name__}")
def stored(request):
    """An encoder, a format, and the encoder's tensors in it."""
    name, make_format = request.param
    encoder = random_encoder(tiny_config(**ARCHITECTURES[name]))
    form = make_format(encoder.config)
    return encoder, form, form.to_theirs(encoder.state_dict())


def test_out_and_in_again(stored):
    encoder, form, theirs = stored
    wanted = encoder.state_dict()
    ours, ignored = form.to_ours(theirs, wanted, "memory")
    assert ignored == []
    assert list(ours) == list(wanted)
    for name, tensor in wanted.items():
        exact = "positional_conv" not in name  # magnitude times direction rounds
        torch.testing.assert_close(
            ours[name], tensor, rtol=0 if exact else 1e-6, atol=0
        )


def test_in_and_out_again(stored):
    encoder, form, theirs = stored
    ours, _ = form.to_ours(theirs, encoder.state_dict(), "memory")
    again = form.to_theirs(ours)
    assert set(again) == set(theirs)
    for name, tensor in theirs.items():
        torch.testing.assert_close(again[name], tensor, rtol=1e-6, atol=0)


def test_no_two_tensors_share_a_name(stored):
    encoder, form, _ = stored
    names = [form.translate(name) for name in encoder.state_dict()]
    assert len(set(names)) == len(names)


def test_every_tensor_is_needed(stored):
    encoder, form, theirs = stored
    for name in theirs:
        fewer = {key: value for key, value in theirs.items() if key != name}
        with pytest.raises(ValueError, match="Missing"):
            form.to_ours(fewer, encoder.state_dict(), "memory")


def test_unknown_tensors_are_refused(stored):
    encoder, form, theirs = stored
    more = {**theirs, "encoder.layers.0.surprise.weight": torch.zeros(1)}
    with pytest.raises(ValueError, match=r"Unknown: \['encoder.layers.0.surprise"):
        form.to_ours(more, encoder.state_dict(), "memory")


def test_pruned_encoder_survives_dphubert_format():
    encoder = pruned_encoder()
    form = dphubert_format(encoder.config)
    theirs = form.to_theirs(encoder.state_dict())
    constant = theirs["encoder.transformer.layers.0.attention.gru_rel_pos_const"]
    assert constant.shape == (1, 4, 1, 1)
    ours, ignored = form.to_ours(theirs, encoder.state_dict(), "memory")
    assert ignored == []
    for name, tensor in encoder.state_dict().items():
        torch.testing.assert_close(ours[name], tensor, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "names",
    [
        ("conv.weight_g", "conv.weight_v"),
        (
            "conv.parametrizations.weight.original0",
            "conv.parametrizations.weight.original1",
        ),
    ],
)
def test_weight_norm_is_torchs(names):
    conv = torch.nn.Conv1d(6, 6, 4, groups=2)
    conv = torch.nn.utils.parametrizations.weight_norm(conv, dim=2)
    g, v = (conv.parametrizations.weight[0], conv.parametrizations.weight)
    magnitude, direction = v.original0.detach() * 3, v.original1.detach()
    expected = g(magnitude, direction)
    folded = weight_norm("conv").to_ours(
        dict(zip(names, (magnitude, direction), strict=True))
    )
    assert set(folded) == {"conv.weight"}
    torch.testing.assert_close(folded["conv.weight"], expected)


def test_plain_weight_passes_weight_norm():
    tensors = {"conv.weight": torch.ones(2, 2, 3)}
    assert weight_norm("conv").to_ours(dict(tensors)) == tensors


def test_weight_norm_over_another_dimension_is_refused():
    tensors = {
        "conv.weight_g": torch.ones(2, 1, 1),
        "conv.weight_v": torch.ones(2, 2, 3),
    }
    with pytest.raises(ValueError, match=r"\(1, 1, kernel\)"):
        weight_norm("conv").to_ours(tensors)


def test_prefix_separates_encoder_and_heads():
    tensors = {"hubert.a": 1, "hubert.b.c": 2, "lm_head.weight": 3}
    assert strip_prefix(tensors, "hubert.") == ({"a": 1, "b.c": 2}, ["lm_head.weight"])
    assert strip_prefix({"a": 1}, "hubert.") == ({"a": 1}, [])
