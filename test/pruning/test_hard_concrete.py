"""The gate's distribution, its estimator, its evaluation values."""

import math

import pytest
import torch

from pruneasr.pruning.hard_concrete import (
    INITIAL_LOG_ALPHA,
    LOG_ALPHA_LIMIT,
    HardConcrete,
    StraightThroughClamp,
)


def make_gate(size=4, log_alpha=None, **options):
    gate = HardConcrete("ffn", 0, size, **{"ste": True, **options})
    if log_alpha is not None:
        with torch.no_grad():
            gate.log_alpha.copy_(torch.as_tensor(log_alpha, dtype=torch.float))
    return gate


@pytest.mark.parametrize("log_alpha", [-3.0, -1.0, 0.0, 2.0])
def test_probability_is_the_share_of_open_samples(log_alpha):
    torch.manual_seed(0)
    gate = make_gate(100_000, log_alpha).train()
    gate.draw()
    share = (gate.z > 0).float().mean().item()
    expected = gate.probability()[0].item()
    sigma = math.sqrt(expected * (1 - expected) / 100_000)
    assert abs(share - expected) < 4 * sigma


def test_probability_by_hand():
    # beta log(-gamma / zeta) = 2/3 log(1/11) = -1.5986
    probability = make_gate(1, 0.0).probability().item()
    assert probability == pytest.approx(1 / (1 + math.exp(-1.5986)), abs=1e-4)


def test_a_gate_starts_almost_open():
    gate = make_gate()
    assert gate.log_alpha[0].item() == pytest.approx(math.log(99))
    assert gate.probability().min() > 0.99


def test_straight_through_passes_the_gradient_where_the_clamp_is_flat():
    s_bar = torch.tensor([-0.05, 0.5, 1.05], requires_grad=True)
    StraightThroughClamp.apply(s_bar).backward(torch.tensor([0.3, -0.4, 5.0]))
    assert s_bar.grad.tolist() == pytest.approx([0.3, -0.4, 1.0])


@pytest.mark.parametrize(("ste", "moves"), [(True, True), (False, False)])
def test_a_saturated_gate_moves_only_with_ste(ste, moves):
    torch.manual_seed(0)
    gate = make_gate(1000, INITIAL_LOG_ALPHA, ste=ste).train()
    gate.draw()
    gate(torch.ones(1000)).sum().backward()
    saturated = gate.z == 1
    assert saturated.float().mean() > 0.8
    assert bool((gate.log_alpha.grad[saturated] != 0).any()) is moves


def test_evaluation_keeps_the_expected_number_of_the_best():
    gate = make_gate(4, [-4.0, 4.0, 3.0, -4.5]).eval()
    gate.draw()
    # the four probabilities sum to 0.08 + 1.00 + 0.99 + 0.05
    assert gate.keep().tolist() == [False, True, True, False]
    assert gate.z.tolist() == pytest.approx(
        [0, 1 / (1 + math.exp(-0.8 * 1.5 * 4)), 1 / (1 + math.exp(-0.8 * 1.5 * 3)), 0]
    )


@pytest.mark.parametrize(("log_alpha", "open_"), [(-1.7, False), (-1.5, True)])
def test_a_single_gate_is_open_from_one_half_on(log_alpha, open_):
    assert make_gate(1, log_alpha).keep().tolist() == [open_]


def test_evaluation_is_deterministic_and_training_is_not():
    gate = make_gate(50, 0.0).eval()
    gate.draw()
    first = gate.z
    gate.draw()
    assert torch.equal(first, gate.z)
    gate.train().draw()
    first = gate.z
    gate.draw()
    assert not torch.equal(first, gate.z)


def test_forward_multiplies_the_gated_dimension():
    gate = make_gate(2, trailing_dims=1).eval()
    gate.z = torch.tensor([0.5, 0.0])
    x = torch.ones(1, 2, 3)
    assert gate(x).tolist() == [[[0.5] * 3, [0.0] * 3]]


def test_a_head_gate_covers_all_dimensions_of_its_head():
    gate = make_gate(2, repeats=torch.tensor([1, 3])).eval()
    gate.z = torch.tensor([0.5, 2.0])
    assert gate(torch.ones(4)).tolist() == [0.5, 2.0, 2.0, 2.0]


def test_clamp_limits_log_alpha():
    gate = make_gate(2, [9.0, -9.0])
    gate.clamp_()
    assert gate.log_alpha.tolist() == pytest.approx([LOG_ALPHA_LIMIT, -LOG_ALPHA_LIMIT])
