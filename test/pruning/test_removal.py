"""Masked equals removed: each unit, all together, every degenerate case."""

import copy

import pytest
import torch
from tiny import VARIANTS, largest_difference, random_encoder, tiny_config, waveforms

from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.pruning.removal import mask, remove
from pruneasr.pruning.units import attach_gates, find_gates

TOLERANCE = 1e-5
UNIT_SETS = [
    ("conv",),
    ("qk",),
    ("vo",),
    ("head",),
    ("ffn",),
    ("mha_layer",),
    ("ffn_layer",),
    ("conv", "qk", "vo", "ffn", "mha_layer", "ffn_layer"),
    ("conv", "qk", "head", "ffn", "mha_layer", "ffn_layer"),
]
ALL = UNIT_SETS[-2]


def gated_encoder(variant, units, seed=0):
    encoder = random_encoder(tiny_config(**VARIANTS[variant]), seed)
    attach_gates(encoder, units)
    torch.manual_seed(seed)
    for gate in find_gates(encoder).values():
        torch.nn.init.normal_(gate.log_alpha, std=3.0)
    return encoder


def open_plan(encoder):
    return {key: torch.ones_like(g.keep()) for key, g in find_gates(encoder).items()}


def random_plan(encoder, seed=0):
    generator = torch.Generator().manual_seed(seed)
    plan = {}
    for (unit, layer), gate in find_gates(encoder).items():
        keep = torch.rand(gate.log_alpha.shape, generator=generator) < 0.6
        if unit == "conv":
            keep[0] = True
        plan[unit, layer] = keep
    return plan


def assert_exact(encoder, plan, tmp_path):
    mask(encoder, plan)
    removed = remove(encoder, plan)
    save_encoder(removed, tmp_path / "removed")
    reloaded = load_encoder(tmp_path / "removed").eval()
    speech, lengths = waveforms()
    for model in (removed, reloaded):
        assert largest_difference(encoder, model, speech, lengths) <= TOLERANCE
        assert largest_difference(encoder, model, speech, None) <= TOLERANCE
    return removed


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("units", UNIT_SETS, ids="+".join)
def test_masked_equals_removed(variant, units, tmp_path):
    encoder = gated_encoder(variant, units)
    plan = random_plan(encoder)
    dense = sum(p.numel() for p in encoder.parameters())
    removed = assert_exact(encoder, plan, tmp_path)
    assert sum(p.numel() for p in removed.parameters()) < dense


def close(unit, layers, positions=slice(None)):
    def edit(plan):
        for layer in layers:
            plan[unit, layer][positions] = False

    return edit


DEGENERATE = {
    "everything open": lambda _: None,
    "attention of block 0 gone": close("mha_layer", [0]),
    "all attention gone": close("mha_layer", [0, 1, 2]),
    "all values of block 0 closed": close("vo", [0]),
    "all values of all blocks closed": close("vo", [0, 1, 2]),
    "all queries closed, values alive": close("qk", [0, 1, 2]),
    "one head without queries": close("qk", [1], slice(0, 8)),
    "one head without values": close("vo", [1], slice(8, 16)),
    "one value dimension left": close("vo", [1], slice(1, None)),
    "feed-forward of width 0": close("ffn", [0, 2]),
    "feed-forward gone": close("ffn_layer", [1]),
    "one whole block gone": lambda plan: (
        close("mha_layer", [1])(plan),
        close("ffn_layer", [1])(plan),
    ),
    "every block gone": lambda plan: (
        close("mha_layer", [0, 1, 2])(plan),
        close("ffn_layer", [0, 1, 2])(plan),
    ),
    "one channel left in the first convolution": close("conv", [0], slice(1, None)),
    "one channel left in the last convolution": close("conv", [6], slice(0, 15)),
    "half of every convolution": close("conv", range(7), slice(0, 8)),
}


def degenerate(variant, case):
    """A gated encoder and the plan of a case."""
    encoder = gated_encoder(variant, ALL)
    plan = open_plan(encoder)
    DEGENERATE[case](plan)
    return encoder, plan


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_cases(variant, case, tmp_path):
    assert_exact(*degenerate(variant, case), tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_removed_can_be_pruned_again(variant, tmp_path):
    encoder = gated_encoder(variant, ALL)
    once = remove(encoder, random_plan(encoder))
    attach_gates(once, ALL)
    assert_exact(once, random_plan(once, seed=1), tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", DEGENERATE)
def test_what_is_degenerate_can_be_pruned_again(variant, case, tmp_path):
    """Branches of width zero keep a bias, which a gate on the branch still scales."""
    once = remove(*degenerate(variant, case))
    attach_gates(once, [unit for unit in ALL if unit != "conv"])
    for gate in find_gates(once).values():
        torch.nn.init.normal_(gate.log_alpha, mean=1.0)
    assert_exact(once, open_plan(once), tmp_path)


def test_removal_leaves_its_input_untouched():
    encoder = gated_encoder("wavlm-large", ALL)
    before = copy.deepcopy(encoder.state_dict())
    remove(encoder, random_plan(encoder))
    after = encoder.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_gradient_flows_through_the_removed_model():
    encoder = gated_encoder("wavlm-base", ALL)
    removed = remove(encoder, random_plan(encoder)).train()
    hidden_states, _ = removed(*waveforms())
    hidden_states[-1].square().mean().backward()
    assert all(p.grad is not None for p in removed.parameters())


@pytest.mark.parametrize(
    ("units", "message"),
    [(("ffn", "heads"), "heads"), (("head", "vo"), "same values"), ((), "distinct")],
)
def test_bad_units_are_refused(units, message):
    with pytest.raises(ValueError, match=message):
        attach_gates(random_encoder(), units)


def test_gates_are_not_attached_twice():
    encoder = gated_encoder("wavlm-base", ("ffn",))
    with pytest.raises(ValueError, match="has gates already"):
        attach_gates(encoder, ["qk"])
