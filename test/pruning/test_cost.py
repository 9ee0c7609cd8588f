"""The polynomials against the models themselves."""

import numpy as np
import pytest
import torch
from tiny import random_config, random_encoder, tiny_config
from torch import nn

from pruneasr.encoder import Encoder, dense_config
from pruneasr.encoder.attention import Attention
from pruneasr.encoder.positions import RelativePositionGate
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.units import UNITS, attach_gates, find_gates
from pruneasr.pruning.widths import config_widths, expected_widths, floor_widths

SECONDS = 0.2


def count_macs(encoder, seconds):
    """Multiply-accumulates that the modules do, counted by hooks on a forward pass."""
    total = 0

    def conv(module, _inputs, output):
        nonlocal total
        per_output = module.in_channels // module.groups * module.kernel_size[0]
        total += output[0].numel() * per_output

    def linear(module, _inputs, output):
        nonlocal total
        total += output[0].numel() * module.in_features

    def attention(module, inputs, _output):
        nonlocal total
        frames = inputs[0].size(1)
        dims = module.q_proj.out_features + module.v_proj.out_features
        total += frames * frames * dims

    gates = {
        child
        for module in encoder.modules()
        if isinstance(module, RelativePositionGate)
        for child in module.children()
    }
    first = encoder.feature_extractor.layers[0]
    # with a GroupNorm the first convolution is part of a product, not called itself
    first.register_forward_hook(lambda m, _, output: conv(m.conv, _, output[0]))
    for module in encoder.modules():
        if isinstance(module, nn.Conv1d) and module is not first.conv:
            module.register_forward_hook(conv)
        elif isinstance(module, nn.Linear) and module not in gates:
            module.register_forward_hook(linear)
        elif isinstance(module, Attention):
            module.register_forward_hook(attention)
    with torch.no_grad():
        encoder(torch.zeros(1, round(seconds * 16000)))
    return total


@pytest.mark.parametrize("seed", range(50))
def test_costs_equal_the_model(seed):
    config = random_config(torch.Generator().manual_seed(seed))
    encoder = Encoder(config).eval()
    widths = config_widths(config)
    numel = sum(parameter.numel() for parameter in encoder.parameters())
    assert parameters(config, widths).total == numel
    assert macs(config, widths, SECONDS).total == count_macs(encoder, SECONDS)


def test_wavlm_base_by_hand():
    config = dense_config()
    cost = parameters(config, config_widths(config))
    # 12 x (4 x (768 x 768 + 768) + 2 x 768 x 3072 + 3072 + 768)
    assert cost.mha_ffn == 85_017_600
    # transformers' 94,381,936 less its mask vector (768) and weight-norm gains (128)
    assert cost.total == 94_381_936 - 768 - 128


def test_published_macs_of_wavlm_base():
    config = dense_config()
    cost = macs(config, config_widths(config), 10.0)
    assert cost.total / 1e9 == pytest.approx(74.06, abs=0.005)
    assert cost.cnn / 1e9 == pytest.approx(24.54, abs=0.005)
    # QKVO, the products with T^2, FFN
    assert cost.mha_ffn / 1e9 == pytest.approx(14.13 + 4.59 + 28.25, abs=0.01)


@pytest.mark.parametrize("units", [("qk", "vo"), ("head",), ("head", "qk"), ("conv",)])
def test_open_gates_expect_the_dense_cost(units):
    encoder = random_encoder()
    attach_gates(encoder, (*units, "ffn", "mha_layer", "ffn_layer"))
    for gate in find_gates(encoder).values():
        gate.log_alpha.data.fill_(50.0)
    expected = expected_widths(encoder)
    dense = config_widths(encoder.config)
    scale = 16 if "conv" in units else 0  # the channel scale that removal will add
    assert float(parameters(encoder.config, expected).total) == pytest.approx(
        parameters(encoder.config, dense).total + scale
    )
    assert float(macs(encoder.config, expected).total) == pytest.approx(
        macs(encoder.config, dense).total
    )


def test_closed_gates_expect_the_floor():
    encoder = random_encoder()
    units = [unit for unit in UNITS if unit not in ("head", "conv")]
    attach_gates(encoder, units)
    for gate in find_gates(encoder).values():
        gate.log_alpha.data.fill_(-50.0)
    expected = parameters(encoder.config, expected_widths(encoder)).total
    floor = parameters(encoder.config, floor_widths(encoder.config, units)).total
    assert float(expected) == pytest.approx(floor)


def test_expected_parameters_of_half_open_gates_by_hand():
    """[W23]'s units with P(z > 0) between 0 and 1, and the four heads of width 8."""
    encoder = random_encoder()
    dim = encoder.config.dim
    attach_gates(encoder, ["qk", "vo", "ffn", "mha_layer", "ffn_layer"])
    gates = find_gates(encoder)
    torch.manual_seed(0)
    for gate in gates.values():
        torch.nn.init.normal_(gate.log_alpha)
    expected = expected_widths(encoder)
    total = 0.0
    for i, block in enumerate(expected.blocks):
        p = {
            unit: gates[unit, i].probability().detach().double().numpy()
            for unit in ("qk", "vo", "ffn", "mha_layer", "ffn_layer")
        }
        dead = [np.prod(1 - p["vo"][8 * h : 8 * h + 8]) for h in range(4)]
        assert float(block.heads) == pytest.approx(4 - sum(dead), rel=1e-5)
        assert float(block.any_head) == pytest.approx(1 - np.prod(dead), rel=1e-5)
        # a query and a key of dim weights and a bias each; a value of dim weights and a
        # bias, and dim weights behind it; inner dimensions alike; the output's biases
        attention = p["qk"].sum() * 2 * (dim + 1) + p["vo"].sum() * (2 * dim + 1) + dim
        inner = p["ffn"].sum() * (2 * dim + 1) + dim
        total += p["mha_layer"][0] * attention + p["ffn_layer"][0] * inner
    found = parameters(encoder.config, expected).mha_ffn
    assert float(found) == pytest.approx(total, rel=1e-5)


def test_expected_channels_of_half_open_gates_by_hand():
    encoder = random_encoder()
    attach_gates(encoder, ["conv"])
    gates = find_gates(encoder)
    for gate in gates.values():
        torch.nn.init.normal_(gate.log_alpha)
    for i, channels in enumerate(expected_widths(encoder).channels):
        log_alpha = gates["conv", i].log_alpha.detach().double().numpy()
        # [W23] Eq. 2: sigmoid(log_alpha - beta log(-l / r)), beta 2/3, l -0.1, r 1.1
        p = 1 / (1 + np.exp(-(log_alpha - 2 / 3 * np.log(0.1 / 1.1))))
        assert float(channels) == pytest.approx(p.sum(), rel=1e-5)


def test_expected_cost_is_linear_in_a_probability_and_differentiable():
    encoder = random_encoder()
    attach_gates(encoder, ["ffn"])
    gates = find_gates(encoder)
    cost = parameters(encoder.config, expected_widths(encoder)).mha_ffn
    cost.backward()
    gate = gates["ffn", 0]
    p = gate.probability()
    # one dimension costs 2 D + 1 parameters
    assert torch.allclose(gate.log_alpha.grad, 65 * p * (1 - p), rtol=1e-4)


def test_size_of_heads_includes_their_queries():
    config = tiny_config(family="hubert")
    encoder = random_encoder(config)
    attach_gates(encoder, ["head"])
    for gate in find_gates(encoder).values():
        gate.log_alpha.data.fill_(50.0)
        gate.log_alpha.data[0] = -50.0
    dense = parameters(config, config_widths(config)).mha_ffn
    left = parameters(config, expected_widths(encoder)).mha_ffn
    # 3 blocks lose a head of 8: queries and keys 2 x 8 x 33, values and outputs 8 x 65
    assert dense - float(left) == pytest.approx(3 * (2 * 8 * 33 + 8 * 65), rel=1e-4)
