"""The kernels against torch's own, above and below the size where they take over."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pruneasr.encoder import ConvConfig
from pruneasr.encoder.feature_extractor import NormedConvLayer
from pruneasr.encoder.kernels import LEAST_MACS, Conv1d, Dropout, Linear, gelu


@pytest.mark.parametrize("rows", [3, LEAST_MACS // 256**2 + 1])
def test_linear_and_its_gradients(rows):
    torch.manual_seed(0)
    ours, exact = Linear(256, 257), nn.Linear(256, 257).double()
    exact.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(1, rows, 256, requires_grad=True)
    y = x.detach().double().requires_grad_()
    grad = torch.randn(1, rows, 257)
    ours(x).backward(grad)
    exact(y).backward(grad.double())
    assert torch.allclose(ours(x).double(), exact(y), atol=1e-5)
    pairs = [(x, y), (ours.weight, exact.weight), (ours.bias, exact.bias)]
    for found, expected in pairs:
        scale = expected.grad.abs().max()
        assert (found.grad - expected.grad).abs().max() < 1e-5 * scale


def test_linear_lets_autocast_choose():
    layer = Linear(256, 256)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.randn(LEAST_MACS // 256**2 + 1, 256)).dtype == torch.bfloat16


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_keeps_frames_together(groups):
    torch.manual_seed(0)
    ours, theirs = (
        Conv1d(6, 8, 3, 2, groups=groups),
        nn.Conv1d(6, 8, 3, 2, groups=groups),
    )
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(2, 50, 6).transpose(1, 2)
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    assert ours(x).transpose(1, 2).is_contiguous()


def test_gelu_spares_what_a_gradient_needs():
    x = torch.randn(9, requires_grad=True)
    before = x.detach().clone()
    assert torch.equal(gelu(x), F.gelu(before))
    assert torch.equal(x, before)


def test_normed_convolution_is_a_convolution_then_a_group_norm():
    """A loud hum and weak noise; the filter lets the noise through alone."""
    torch.manual_seed(0)
    layer = NormedConvLayer(1, ConvConfig(4, 10, 5), nn.GroupNorm(4, 4), bias=True)
    with torch.no_grad():
        layer.conv.weight[0, 0] = torch.tensor([1.0, -2.0, 1.0, *[0.0] * 7])
        layer.norm.weight.uniform_(0.5, 2.0)
        layer.norm.bias.uniform_(-1.0, 1.0)
    time = torch.arange(4000, dtype=torch.float64) / 16000
    hum = torch.sin(2 * torch.pi * 50 * time) + 0.5
    waveforms = (hum + 0.01 * torch.randn(3, 4000).double()).float()
    lengths = torch.tensor([799, 799, 300])
    found = layer.convolve(waveforms[:, None], lengths)
    exact = F.conv1d(
        waveforms.double()[:, None], layer.conv.weight.double(), stride=5
    )  # the bias does not outlast the norm
    weight, bias = layer.norm.weight.double(), layer.norm.bias.double()
    for i, length in enumerate(lengths):
        expected = F.group_norm(exact[i : i + 1, :, :length], 4, weight, bias)
        assert (found[i : i + 1, :, :length] - expected).abs().max() < 2e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_dropout_zeroes_its_share_and_keeps_the_mean(rate, dtype):
    torch.manual_seed(0)
    x = torch.ones(401, 499, dtype=dtype, requires_grad=True)  # no multiple of 4
    y = Dropout(rate)(x)
    values = y.unique()
    assert values.tolist() == pytest.approx([0, 1 / (1 - rate)], rel=2**-8)
    # 0.2 million draws: five standard errors are 0.0056
    assert (y == 0).float().mean().item() == pytest.approx(rate, abs=0.0056)
    deviation = (rate * (1 - rate) / 401) ** 0.5
    for axis in (0, 1):  # no pattern along the rows or columns
        assert (y == 0).float().mean(axis).std() < 1.2 * deviation
    y.sum().backward()
    assert torch.equal(x.grad, y)  # of ones: what passes is what was multiplied


def test_dropout_repeats_with_its_seed_and_ends_with_training():
    x = torch.randn(3, 7)
    first, again = (torch.manual_seed(1) and Dropout(0.5)(x) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, Dropout(0.5)(x))
    assert Dropout(0.5).eval()(x) is x
