"""Batches: padding changes nothing, ragged heads are exact, bad input is refused."""

import copy
import math

import pytest
import torch
from tiny import VARIANTS, random_encoder, tiny_config, waveforms
from torch.nn import functional as F

from pruneasr.encoder import HeadConfig
from pruneasr.encoder.attention import Attention

ALL = {
    **VARIANTS,
    "data2vec": {
        "family": "data2vec",
        "conv_norm": "layer_norm",
        "pos_conv_layers": 3,
        "pos_conv_kernel": 5,
        "normalize_waveform": True,
    },
    "even kernel in a stack": {"pos_conv_layers": 2, "pos_conv_kernel": 6},
    "channel scale": {"channel_scale": True},
}
HEADS = {
    "dense": [(0, 8, 8), (1, 8, 8), (2, 8, 8), (3, 8, 8)],
    "ragged": [(0, 3, 8), (1, 8, 1), (2, 5, 5), (3, 8, 8)],
    "some are gone": [(1, 2, 7), (3, 8, 8)],
    "no query": [(0, 0, 4), (2, 8, 8)],
    "only without query": [(2, 0, 3)],
    "wide and narrow": [(0, 16, 16), (1, 1, 1), (2, 1, 2), (3, 16, 9)],
}


@pytest.fixture
def encoder():
    return random_encoder(tiny_config())


@pytest.mark.parametrize("name", ALL)
def test_padded_equals_one_by_one(name):
    encoder = random_encoder(tiny_config(**ALL[name]))
    speech, lengths = waveforms()  # noise, not zeros, beyond the lengths
    with torch.no_grad():
        states, frames = encoder(speech, lengths)
        for i, (samples, length) in enumerate(zip(lengths, frames, strict=True)):
            alone, (number,) = encoder(speech[i : i + 1, :samples])
            assert number == length
            for batched, single in zip(states, alone, strict=True):
                assert single.shape[1] == length
                torch.testing.assert_close(
                    batched[i, :length], single[0], atol=1e-5, rtol=0
                )


@pytest.mark.parametrize("name", ALL)
def test_padding_takes_no_gradient(name):
    encoder = random_encoder(tiny_config(**ALL[name]))
    speech, lengths = waveforms()
    speech.requires_grad_()
    states, frames = encoder(speech, lengths)
    valid = torch.arange(states[-1].size(1)) < frames[:, None]
    (states[-1] * valid[..., None]).square().sum().backward()
    for i, samples in enumerate(lengths):
        assert speech.grad[i, :samples].abs().sum() > 0
        assert torch.all(speech.grad[i, samples:] == 0)


def naive_attention(attention, config, heads, x, position_bias, padding_bias):
    """One head after the other, by the formula."""
    outputs = []
    query = value = 0
    for place, head in enumerate(heads):
        q, k = (
            F.linear(x, p.weight[query:][: head.qk], p.bias[query:][: head.qk])
            for p in (attention.q_proj, attention.k_proj)
        )
        v = attention.v_proj
        v = F.linear(x, v.weight[value:][: head.vo], v.bias[value:][: head.vo])
        query, value = query + head.qk, value + head.vo
        scores = q @ k.transpose(1, 2) / math.sqrt(config.head_dim)
        if position_bias is not None:
            gate = attention.relative_gate
            seen = x[..., head.index * config.head_dim :][..., : config.head_dim]
            a, b = gate.linear(seen).unflatten(-1, (2, 4)).sum(-1).sigmoid().unbind(-1)
            factor = a * (b * gate.constant[place] - 1) + 2
            scores = scores + factor[..., None] * position_bias[head.index]
        if padding_bias is not None:
            scores = scores + padding_bias[:, 0]
        outputs.append(scores.softmax(-1) @ v)
    return attention.out_proj(torch.cat(outputs, -1))


@pytest.mark.parametrize("family", ["wavlm", "hubert"])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_ragged_heads_equal_a_loop_over_heads(name, padded, family):
    torch.manual_seed(0)
    config = tiny_config(family=family, dim=64)
    heads = tuple(HeadConfig(*head) for head in HEADS[name])
    attention = Attention(config, heads).eval()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(2, 6, config.dim)
    position_bias = torch.randn(4, 6, 6) if family == "wavlm" else None
    padding_bias = torch.zeros(2, 1, 1, 6)
    padding_bias[1, ..., 4:] = -math.inf
    bias = (position_bias, padding_bias if padded else None)
    with torch.no_grad():
        expected = naive_attention(attention, config, heads, x, *bias)
        torch.testing.assert_close(attention(x, *bias), expected, atol=1e-5, rtol=0)


def test_shortest_utterance_gives_one_frame(encoder):
    assert encoder.config.receptive_field == 400
    states, frames = encoder(torch.randn(1, 400))
    assert frames.tolist() == [1]
    assert all(bool(state.isfinite().all()) for state in states)


def test_number_of_frames(encoder):
    lengths = torch.tensor([400, 719, 720, 1039, 1040, 16000])
    assert encoder.frame_lengths(lengths).tolist() == [1, 1, 2, 2, 3, 49]
    for samples, frames in ((719, 1), (720, 2)):
        states, number = encoder(torch.randn(1, samples))
        assert states[0].size(1) == number.item() == frames


@pytest.mark.parametrize("lengths", [[4000, 399], [4000, 0], [0, 0], [4000, -1]])
def test_too_short_is_refused(encoder, lengths):
    with pytest.raises(ValueError, match="at least 400 samples"):
        encoder(torch.randn(2, 4000), torch.tensor(lengths))


@pytest.mark.parametrize("lengths", [[4000], [4000, 4000, 4000], [4000, 4001]])
def test_lengths_that_do_not_belong_are_refused(encoder, lengths):
    with pytest.raises(ValueError, match="expected 2 lengths of at most 4000"):
        encoder(torch.randn(2, 4000), torch.tensor(lengths))


@pytest.mark.parametrize("shape", [(4000,), (1, 2, 4000)])
def test_other_shapes_are_refused(encoder, shape):
    with pytest.raises(ValueError, match="mono waveforms"):
        encoder(torch.randn(shape))


def test_a_replica_has_weights_that_are_no_parameters(encoder):
    """As torch's DataParallel makes them."""
    speech = torch.randn(1, 4000)
    expected = encoder(speech)[0][-1]
    replica = copy.deepcopy(encoder)
    for module in replica.modules():
        for name, weight in list(module._parameters.items()):
            del module._parameters[name]
            setattr(module, name, None if weight is None else weight.detach())
    assert list(replica.parameters()) == []
    torch.testing.assert_close(replica(speech)[0][-1], expected)


def test_waveforms_of_another_type_are_refused(encoder):
    with pytest.raises(ValueError, match=r"expected waveforms of torch.float32"):
        encoder(torch.zeros(1, 4000, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"expected waveforms of torch.bfloat16"):
        random_encoder().bfloat16()(torch.zeros(1, 4000))


@pytest.mark.parametrize("num_blocks", [-1, 20])
def test_blocks_that_do_not_exist_are_refused(encoder, num_blocks):
    with pytest.raises(ValueError, match=f"num_blocks from 0 .*found {num_blocks}"):
        encoder(torch.zeros(1, 4000), None, num_blocks)


def test_without_lengths_all_samples_count(encoder):
    speech, _ = waveforms()
    full = torch.full((3,), speech.size(1))
    for first, second in zip(encoder(speech)[0], encoder(speech, full)[0], strict=True):
        assert torch.equal(first, second)


def test_silence_stays_finite():
    for options in ALL.values():
        encoder = random_encoder(tiny_config(**options))
        states, _ = encoder(torch.zeros(2, 1000), torch.tensor([1000, 600]))
        assert bool(states[-1][0].isfinite().all())
