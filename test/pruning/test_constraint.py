"""The Lagrangian, its schedule, its errors, and that it reaches its target."""

import pytest
import torch
from latency_table import mac_table
from tiny import random_encoder, tiny_config

from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import attach_gates, find_gates
from pruneasr.pruning.widths import config_widths, expected_widths

ALL = ("conv", "qk", "vo", "ffn", "mha_layer", "ffn_layer")
FAHP = ("qk", "vo", "ffn", "mha_layer", "ffn_layer")


def make(**options):
    values = {"target": 0.5, "warmup_steps": 10, **options}
    return Constraint(tiny_config(), values.pop("units", ALL), **values)


def test_schedule_rises_linearly_then_stays():
    constraint = make()
    targets = [constraint.scheduled(step)["size"] for step in (0, 5, 10, 99)]
    assert targets == pytest.approx([0.0, 0.25, 0.5, 0.5])


def test_value_and_gradient_by_hand():
    constraint = make()
    constraint.lambda1.data.fill_(2.0)
    constraint.lambda2.data.fill_(3.0)
    loss, stats = constraint(config_widths(tiny_config()), 10)  # dense: sparsity 0
    assert loss.item() == pytest.approx(2 * -0.5 + 3 * 0.25)
    loss.backward()
    assert constraint.lambda1.grad.item() == pytest.approx(-0.5)
    assert constraint.lambda2.grad.item() == pytest.approx(0.25)
    assert stats["target_sparsity_size"].item() == pytest.approx(0.5)
    assert stats["expected_sparsity_size"].item() == pytest.approx(0.0)


def test_sep_mac_has_two_terms_with_their_own_multipliers():
    constraint = make(kind="sep_mac", target={"mac_cnn": 0.3, "mac_transformer": 0.6})
    assert constraint.lambda1.numel() == 2
    _, stats = constraint(config_widths(tiny_config()), 10)
    assert stats["target_sparsity_mac_cnn"].item() == pytest.approx(0.3)
    assert stats["target_sparsity_mac_transformer"].item() == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "sep_mac", "target": {"mac_cnn": 0.3}}, "mac_transformer"),
        ({"kind": "sep_mac", "target": 0.3}, r"'mac_transformer'\); found 0.3"),
        ({"target": None}, r"one target sparsity for each of \('size',\); found None"),
        ({"kind": "mac", "reference_sec": 0.01}, r"one frame, 0.025 s; found 0.01"),
        ({"kind": "mac", "reference_sec": -1}, "one frame"),
        ({"kind": "mac", "reference_sec": float("inf")}, "finite .* found inf"),
        ({"kind": "flops"}, "mac"),
        ({"denominator": "all"}, "whole"),
        ({"target": 1.2}, "1.2"),
        ({"target": 0.9, "units": ("qk",)}, "leave at least 0.7490"),
        ({"kind": "mac", "target": 0.9, "units": ("conv",)}, "leave at least"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


@pytest.mark.parametrize(
    ("units", "options"),
    [
        (FAHP, {"target": 0.6}),
        (ALL, {"kind": "mac", "target": 0.4}),
        (
            ALL,
            {"kind": "sep_mac", "target": {"mac_cnn": 0.5, "mac_transformer": 0.3}},
        ),
        (
            ALL,
            {
                "kind": "latency",
                "target": 0.4,
                "latency_table": mac_table(tiny_config(), per_head=1e5),
            },
        ),
    ],
)
def test_gates_reach_the_target(units, options):
    torch.manual_seed(0)
    encoder = random_encoder()
    attach_gates(encoder, units)
    gates = find_gates(encoder)
    constraint = Constraint(encoder.config, units, warmup_steps=40, **options)
    groups = [
        {"params": [gate.log_alpha for gate in gates.values()]},
        {"params": list(constraint.parameters()), "maximize": True},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.0)
    for step in range(240):
        loss, _ = constraint(expected_widths(encoder), step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for gate in gates.values():
            gate.clamp_()
    sparsity = constraint.sparsity(expected_widths(encoder))
    for term, target in constraint.targets.items():
        assert float(sparsity[term]) == pytest.approx(target, abs=0.02)
