"""Units, cost and objective are independent: every combination trains and is removed.

Each trains some steps on noise, is removed, saved and loaded: what is left computes
what the gated encoder did, and costs what was asked for.
"""

import pytest
import torch
from latency_table import mac_table
from task_training import task_options, train
from tiny import largest_difference, random_encoder, tiny_config, waveforms

from pruneasr.distill.model import Distillation
from pruneasr.distill.pairing import FreePairing
from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.espnet.gate_training import build_optimizers, gate_and_constrain
from pruneasr.espnet.prune_task import TASKS
from pruneasr.pruning.constraint import TERMS, Constraint
from pruneasr.pruning.latency import save_table
from pruneasr.pruning.plan import FIXABLE
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
# What removal can get no closer than: one head of 12, one branch of 6; else one
# dimension or channel
STEP = {"head": 1 / 12, "branches": 1 / 3}
FINE = 0.04


def constraint_of(cost):
    """Options of a constraint but its target."""
    options = {"kind": cost, "denominator": "whole"}
    if cost == "latency":
        options["latency_table"] = mac_table(tiny_config(), conv_price=2.0)
    return options


def targets(cost, units):
    """Half of what these units can take away of each cost that they are made for."""
    config = tiny_config()
    probe = dict.fromkeys(TERMS[cost], 0.0)
    constraint = Constraint(
        config, units, target=probe, warmup_steps=1, **constraint_of(cost)
    )
    reach = constraint.sparsity(floor_widths(config, units))
    return {
        term: float(reach[term]) / 2
        if any(set(pool) & set(units) for pool in FIXABLE[term])
        else 0.0
        for term in TERMS[cost]
    }


class Distil(torch.nn.Module):
    """Distillation, called with the batches of a task."""

    def __init__(self, args):
        super().__init__()
        student = random_encoder()
        constraint = gate_and_constrain(args, student)
        pairing = FreePairing([1, 3], student.config.dim, "mse")
        self.objective = Distillation(random_encoder(), student, pairing, constraint)

    def forward(self, speech, speech_lengths, text, text_lengths):
        return (*self.objective(speech, speech_lengths), None)


def build(objective, ckpt, units, constraint):
    """Return model, optimisers, gated encoder and constraint."""
    args = task_options("asr", ckpt, units, constraint)
    if objective == "distillation":
        model = Distil(args)
        inner = model.objective
        optimizers = build_optimizers(args, model, inner.constraint, inner.after_step)
        return model, optimizers, inner.student, inner.constraint
    model = TASKS[objective].build_model(args)
    optimizers = TASKS[objective].build_optimizers(args, model)
    return model, optimizers, model.frontend.upstream, model.constraint


@pytest.fixture(scope="module")
def ckpt(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "encoder"
    save_encoder(random_encoder(), path)
    return path


@pytest.mark.parametrize("objective", ["distillation", *TASKS])
@pytest.mark.parametrize("cost", TERMS)
@pytest.mark.parametrize("units", UNITS)
def test_every_combination(ckpt, tmp_path, units, cost, objective):
    goals = targets(cost, UNITS[units])
    constraint = {**constraint_of(cost), "target": goals}
    if cost == "latency":  # a training reads it from its file
        save_table(constraint["latency_table"], tmp_path / "latency.json")
        constraint["latency_table"] = str(tmp_path / "latency.json")
    model, optimizers, encoder, constraint = build(
        objective, ckpt, UNITS[units], constraint
    )
    before = {key: gate.log_alpha.clone() for key, gate in find_gates(encoder).items()}
    train(model, optimizers, 3)
    for key, gate in find_gates(encoder).items():
        assert not torch.equal(gate.log_alpha, before[key]), key
    removed, _ = remove_checked(encoder.eval(), constraint)
    save_encoder(removed, tmp_path / "removed")
    reloaded = load_encoder(tmp_path / "removed").eval()
    assert largest_difference(encoder, reloaded, *waveforms()) <= 1e-5
    actual = constraint.sparsity(config_widths(reloaded.config))
    for term, goal in goals.items():
        if goal:
            assert goal - 1e-9 <= actual[term] < goal + STEP.get(units, FINE)
