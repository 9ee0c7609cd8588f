"""Units, cost and objective are independent: every combination trains and is removed.

Each trains some steps on noise, is removed, saved and loaded: what is left computes
what the gated encoder did, and costs what was asked for, to one unit.
"""

import dataclasses

import pytest
import torch
from latency_table import mac_table
from task_training import task_options, train
from tiny import VARIANTS, largest_difference, random_encoder, tiny_config, waveforms

from pruneasr.distill.model import Distillation
from pruneasr.distill.pairing import FreePairing
from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.espnet.gate_training import build_optimizers, gate_and_constrain
from pruneasr.espnet.prune_task import TASKS
from pruneasr.pruning.constraint import TERMS, Constraint
from pruneasr.pruning.latency import save_table
from pruneasr.pruning.plan import FIXABLE, TOLERANCE
from pruneasr.pruning.prune import remove_checked
from pruneasr.pruning.units import find_gates
from pruneasr.pruning.widths import config_widths, floor_widths

BRANCHES = ("mha_layer", "ffn_layer")
UNITS = {
    "conv": ("conv",),
    "fahp": ("qk", "vo"),
    "head": ("head",),
    "ffn": ("ffn",),
    "branches": BRANCHES,
    "w23": ("qk", "vo", "ffn", *BRANCHES),
    "w23-heads": ("head", "ffn", *BRANCHES),
    "p23": ("conv", "head", "ffn"),
    "all": ("conv", "qk", "vo", "ffn", *BRANCHES),
}
COSTS, OBJECTIVES = tuple(TERMS), ("distillation", *TASKS)
# the other extractor has norms and biases in all convolutions
GRID = [
    *(("wavlm-base", u, c, o) for u in UNITS for c in COSTS for o in OBJECTIVES),
    *(("wavlm-large", u, c, "asr") for u in ("conv", "p23", "all") for c in COSTS),
    *(("wavlm-large", "w23", "size", o) for o in OBJECTIVES),
]


def constraint_of(config, cost):
    """Options of a constraint but its target."""
    options = {"kind": cost, "denominator": "whole"}
    if cost == "latency":
        options["latency_table"] = mac_table(config, conv_price=2.0)
    return options


def targets(config, cost, units):
    """Half of what these units can take away of each cost that they are made for."""
    probe = dict.fromkeys(TERMS[cost], 0.0)
    constraint = Constraint(
        config, units, target=probe, warmup_steps=1, **constraint_of(config, cost)
    )
    reach = constraint.sparsity(floor_widths(config, units))
    return {
        term: float(reach[term]) / 2 if pools(term, units) else 0.0
        for term in TERMS[cost]
    }


def pools(term, units):
    """What the plan may change for a term, finest first, as far as it is gated."""
    gated = [set(pool) & set(units) for pool in FIXABLE[term]]
    return [pool for pool in gated if pool]


def one_less(widths, unit):
    """Return the dense widths without one of these units, for every layer."""

    def change(value, **less):
        return dataclasses.replace(
            value, **{key: getattr(value, key) - by for key, by in less.items()}
        )

    if unit == "conv":
        for i, channels in enumerate(widths.channels):
            fewer = list(widths.channels)
            fewer[i] = channels - 1
            yield dataclasses.replace(widths, channels=tuple(fewer))
        return
    for i, block in enumerate(widths.blocks):
        each = {"qk": block.qk / block.heads, "vo": block.vo / block.heads}
        less = {
            "qk": {"qk": 1},
            "vo": {"vo": 1},
            "ffn": {"ffn": 1},
            "head": {"heads": 1, **each},
            "mha_layer": {"attention": block.attention},
            "ffn_layer": {"feed_forward": block.feed_forward},
        }
        blocks = list(widths.blocks)
        blocks[i] = change(block, **less[unit])
        yield dataclasses.replace(widths, blocks=tuple(blocks))


def number(widths, unit):
    """How many of these units there are."""
    if unit == "conv":
        return sum(widths.channels)
    names = {"head": "heads", "mha_layer": "attention", "ffn_layer": "feed_forward"}
    return sum(getattr(block, names.get(unit, unit)) for block in widths.blocks)


def one_unit(constraint, term, units, left):
    """The most that a unit of the finest kind of which some are closed costs.

    As a share of the dense cost. Costs are polynomials without negative terms: of
    fewer units each costs less.
    """
    dense = config_widths(constraint.config)
    return min(
        max(float(constraint.sparsity(x)[term]) for x in one_less(dense, unit))
        for unit in units
        if number(left, unit) < number(dense, unit)
    )


class Distil(torch.nn.Module):
    """Distillation, called with the batches of a task."""

    def __init__(self, args, config):
        super().__init__()
        student = random_encoder(config)
        constraint = gate_and_constrain(args, student)
        pairing = FreePairing([1, 3], student.config.dim, "mse")
        self.objective = Distillation(
            random_encoder(config), student, pairing, constraint
        )

    def forward(self, speech, speech_lengths, text, text_lengths):
        return (*self.objective(speech, speech_lengths), None)


def build(objective, config, ckpt, units, constraint):
    """Return model, optimisers, gated encoder and constraint."""
    args = task_options("asr", ckpt, units, constraint)
    if objective == "distillation":
        model = Distil(args, config)
        inner = model.objective
        optimizers = build_optimizers(args, model, inner.constraint, inner.after_step)
        return model, optimizers, inner.student, inner.constraint
    model = TASKS[objective].build_model(args)
    optimizers = TASKS[objective].build_optimizers(args, model)
    return model, optimizers, model.frontend.upstream, model.constraint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Return a function that saves an encoder of a variant, once."""
    folder = tmp_path_factory.mktemp("grid")

    def save(variant):
        if not (folder / variant).exists():
            config = tiny_config(**VARIANTS[variant])
            save_encoder(random_encoder(config), folder / variant)
        return folder / variant

    return save


@pytest.mark.parametrize(("variant", "units", "cost", "objective"), GRID)
def test_every_combination(checkpoint, tmp_path, variant, units, cost, objective):
    dense, units = tiny_config(**VARIANTS[variant]), UNITS[units]
    goals = targets(dense, cost, units)
    conf = {**constraint_of(dense, cost), "target": goals}
    if cost == "latency":  # a training reads it from its file
        save_table(conf["latency_table"], tmp_path / "latency.json")
        conf["latency_table"] = str(tmp_path / "latency.json")
    model, optimizers, encoder, constraint = build(
        objective, dense, checkpoint(variant), units, conf
    )
    before = {key: gate.log_alpha.clone() for key, gate in find_gates(encoder).items()}
    train(model, optimizers, 3)
    for key, gate in find_gates(encoder).items():
        assert not torch.equal(gate.log_alpha, before[key]), key
    removed, _ = remove_checked(encoder.eval(), constraint)
    save_encoder(removed, tmp_path / "removed")
    reloaded = load_encoder(tmp_path / "removed").eval()
    assert largest_difference(encoder, reloaded, *waveforms()) <= 1e-5
    assert_within_one_unit(constraint, goals, units, reloaded.config)


def assert_within_one_unit(constraint, goals, units, left):
    """The sparsity of every term is its goal, and at most one of the finest units more.

    Or 0.1 %, where the plan stops; a term of which nothing is gated loses only what
    narrower convolutions take along.
    """
    widths, dense = config_widths(left), config_widths(constraint.config)
    actual = constraint.sparsity(widths)
    narrower = dataclasses.replace(dense, channels=widths.channels)
    for term, goal in goals.items():
        found = pools(term, units)
        if not found:
            expected = float(constraint.sparsity(narrower)[term])
            assert actual[term] == pytest.approx(expected)
            continue
        most = max(TOLERANCE, one_unit(constraint, term, found[0], widths))
        assert goal - 1e-9 <= actual[term] <= goal + most, (term, goal, most)
