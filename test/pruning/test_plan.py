"""Which units stay: as many as the target allows, and multiples where asked for."""

import pytest
import torch
from latency_table import mac_table
from tiny import largest_difference, random_encoder, tiny_config, waveforms

from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.plan import Draft, plan_removal
from pruneasr.pruning.planned import planned_config
from pruneasr.pruning.removal import mask, remove
from pruneasr.pruning.units import attach_gates, find_gates
from pruneasr.pruning.widths import config_widths

ALL = ("conv", "qk", "vo", "ffn", "mha_layer", "ffn_layer")
HEADS = ("conv", "qk", "head", "ffn", "mha_layer", "ffn_layer")
# wide enough that eight inner dimensions are less than 0.1 % of the cost
WIDE = tiny_config(dim=64, ffn=4096, conv_channels=(128,) * 7)
COSTS = [
    {"kind": "size", "target": 0.5},
    {"kind": "size", "target": 0.3, "denominator": "whole"},
    {"kind": "mac", "target": 0.5},
    {"kind": "sep_mac", "target": {"mac_cnn": 0.5, "mac_transformer": 0.4}},
    {
        "kind": "latency",
        "target": 0.5,
        "latency_table": mac_table(WIDE, conv_price=2.0, per_head=1e6),
    },
]
costs = pytest.mark.parametrize(
    "cost", COSTS, ids=lambda cost: f"{cost['kind']} {cost['target']}"
)


def drawn(units=ALL, shift=0.0, config=WIDE, branches=4.0):
    """Encoder with gates as a training leaves them, branches open."""
    encoder = random_encoder(config)
    attach_gates(encoder, units)
    torch.manual_seed(0)
    for (unit, _), gate in find_gates(encoder).items():
        torch.nn.init.normal_(gate.log_alpha, mean=shift, std=2.0)
        if "layer" in unit:
            gate.log_alpha.data.fill_(branches)
    return encoder


def assert_met(constraint, config):
    """Not above the budget, and less than a thousandth below it."""
    actual = constraint.sparsity(config_widths(config))
    for term, goal in constraint.targets.items():
        assert goal <= actual[term] + 1e-9
        assert actual[term] == pytest.approx(goal, abs=1e-3)


@costs
@pytest.mark.parametrize("shift", [-2.0, 0.0, 2.0])
def test_plan_meets_the_target_within_a_thousandth(cost, shift):
    encoder = drawn(shift=shift)
    constraint = Constraint(WIDE, ALL, warmup_steps=1, **cost)
    assert_met(constraint, planned_config(WIDE, plan_removal(encoder, constraint)))


@pytest.mark.parametrize("target", [0.3, 0.7])  # below and above what the gates close
def test_channels_that_cost_nothing_stay_as_they_learned(target):
    encoder = drawn()
    constraint = Constraint(WIDE, ALL, warmup_steps=1, target=target)  # of MHA and FFN
    plan = plan_removal(encoder, constraint)
    assert_met(constraint, planned_config(WIDE, plan))
    for key, gate in find_gates(encoder).items():
        if key[0] == "conv":
            assert torch.equal(plan[key], gate.keep())


@pytest.mark.parametrize("units", [("conv", "head", "ffn"), ("head", "ffn"), ("head",)])
@pytest.mark.parametrize("target", [0.05, 0.1, 0.2])
def test_heads_that_the_target_does_not_ask_for_are_opened_again(units, target):
    """[P23]'s units: the gates closed all heads, which nothing finer can make good."""
    config = tiny_config(dim=64, ffn=2048)
    encoder = drawn(units, shift=4.0, config=config)
    for (unit, _), gate in find_gates(encoder).items():
        if unit == "head":
            gate.log_alpha.data -= 20.0
    cost = {"kind": "mac", "target": target}
    constraint = Constraint(config, units, warmup_steps=1, **cost)
    plan = plan_removal(encoder, constraint)
    if units == ("head",):
        widths = config_widths(planned_config(config, plan))
        assert constraint.sparsity(widths)["mac"] >= target
        closed = next(keep for keep in plan.values() if not keep.all())
        closed[closed.int().argmin()] = True  # one more is too much
        widths = config_widths(planned_config(config, plan))
        assert constraint.sparsity(widths)["mac"] < target
    else:
        assert_met(constraint, planned_config(config, plan))


def test_of_branches_as_many_are_opened_again_as_fit():
    units = ("head", "mha_layer", "ffn_layer")
    encoder = drawn(units, shift=-4.0, branches=-4.0)
    constraint = Constraint(WIDE, units, target=0.4, warmup_steps=1)
    plan = plan_removal(encoder, constraint)
    # a feed-forward of these three is 0.32 of the cost
    assert sum(int(plan["ffn_layer", i]) for i in range(3)) == 1
    sparsity = constraint.sparsity(config_widths(planned_config(WIDE, plan)))
    assert sparsity["size"] >= 0.4


@costs
@pytest.mark.parametrize("units", [ALL, HEADS], ids="+".join)
@pytest.mark.parametrize("shift", [-1.0, 2.0])
def test_multiples_meet_the_target_and_are_exact(cost, units, shift):
    encoder = drawn(units, shift)
    constraint = Constraint(WIDE, units, warmup_steps=1, **cost)
    plan = plan_removal(encoder, constraint, multiple_of=8)
    mask(encoder, plan)
    removed = remove(encoder, plan)
    assert_met(constraint, removed.config)
    widths = config_widths(removed.config)
    kept = [*widths.channels]
    kept += [width for b in widths.blocks for width in (b.qk, b.vo, b.ffn)]
    assert [width % 8 for width in kept] == [0] * len(kept)
    assert min(widths.channels) >= 8
    assert largest_difference(encoder, removed, *waveforms()) <= 1e-5


def test_multiples_keep_the_best_of_each_gate():
    encoder = drawn()
    constraint = Constraint(WIDE, ALL, target=0.5, warmup_steps=1)
    plan = plan_removal(encoder, constraint, multiple_of=8)
    gates = find_gates(encoder)
    for unit, layer in plan:
        if unit in ("conv", "vo", "ffn"):
            kept = plan[unit, layer]
            scores = gates[unit, layer].log_alpha
            assert scores[kept].min() > scores[~kept].max()


def test_multiples_take_turns_by_importance():
    """All gates keep 20: two multiples of 16 would be too much, one too little."""
    encoder = drawn(("ffn",))
    for (_, layer), gate in find_gates(encoder).items():
        gate.log_alpha.data.fill_(-4.0)
        gate.log_alpha.data[:20] = 2.0 + layer
    # 2 x 64 + 1 parameters for each inner dimension
    dense = 3 * (4 * (64 * 64 + 64) + 4096 * 129 + 64)
    for left, expected in ((48, [16, 16, 16]), (64, [16, 16, 32])):
        target = (3 * 4096 - left - 0.5) * 129 / dense
        constraint = Constraint(WIDE, ("ffn",), target=target, warmup_steps=1)
        plan = plan_removal(encoder, constraint, multiple_of=16)
        assert [int(plan["ffn", i].sum()) for i in range(3)] == expected


@pytest.mark.parametrize(("open_values", "kept"), [(0, 0), (1, 8), (11, 8), (16, 16)])
def test_a_block_with_few_values_does_not_lose_its_last(open_values, kept):
    encoder = drawn(("vo",))
    gate = find_gates(encoder)["vo", 0]
    gate.kept = torch.arange(64) < open_values
    draft = Draft(encoder.config, {("vo", 0): gate}, {("vo", 0): gate.keep()}, 8)
    draft.align()
    assert int(draft.plan["vo", 0].sum()) == kept


@pytest.mark.parametrize(
    ("multiple_of", "units", "message"),
    [
        (0, ("conv",), "expected multiple_of from 1"),
        (64, ("conv",), "these gates are smaller: conv 0"),
        (16, ("conv",), "multiples of 16 leave a sparsity of mac of .* target 0.2"),
    ],
)
def test_impossible_multiples_are_refused(multiple_of, units, message):
    config = tiny_config(conv_channels=(32,) * 7)
    constraint = Constraint(config, units, target=0.2, kind="mac", warmup_steps=1)
    with pytest.raises(ValueError, match=message):
        plan_removal(drawn(units, config=config), constraint, multiple_of)
