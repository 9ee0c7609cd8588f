"""Activation checkpointing: the same training, with less to remember."""

import pytest
import torch
from distill_training import options, write_recipe
from tiny import random_encoder, tiny_config, waveforms

from pruneasr.distill.model import Distillation
from pruneasr.distill.pairing import FreePairing
from pruneasr.encoder.activation_checkpointing import (
    CheckpointedBlock,
    checkpoint_activations,
)
from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import attach_gates, find_gates

UNITS = ("conv", "qk", "vo", "ffn", "mha_layer", "ffn_layer")


def half_open(student):
    """Let the samples of the gates, and with them the gradients, differ by draw."""
    for gate in find_gates(student).values():
        gate.log_alpha.data.fill_(0.5)


def step(checkpointed, autocast=False, seed=1):
    """Loss, gradients and gates of a step with gates and dropout."""
    student = random_encoder(tiny_config(dropout=0.1))
    attach_gates(student, UNITS)
    half_open(student)
    if checkpointed:
        checkpoint_activations(student)
    constraint = Constraint(student.config, UNITS, target=0.5, warmup_steps=4)
    torch.manual_seed(0)
    pairing = FreePairing([1, 3], student.config.dim, "mse")
    objective = Distillation(random_encoder(), student, pairing, constraint).train()
    torch.manual_seed(seed)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        loss, _ = objective(*waveforms())
    loss.backward()
    gradients = {n: p.grad for n, p in objective.named_parameters()}
    gates = {key: gate.z.detach() for key, gate in find_gates(student).items()}
    return loss.detach(), gradients, gates


@pytest.mark.parametrize("autocast", [False, True])
def test_gradients_are_those_of_the_plain_step(autocast):
    loss, gradients, gates = step(checkpointed=False, autocast=autocast)
    again, recomputed, drawn = step(checkpointed=True, autocast=autocast)
    assert torch.equal(loss, again)
    assert gradients.keys() == recomputed.keys()
    assert all(torch.equal(gradients[n], recomputed[n]) for n in gradients)
    assert all(torch.equal(gates[key], drawn[key]) for key in gates)
    # what the comparison would notice: another draw, other gradients
    _, others, _ = step(checkpointed=True, autocast=autocast, seed=2)
    assert not any(torch.equal(gradients[n], others[n]) for n in gradients if "qk" in n)


def test_blocks_run_twice_and_keep_less():
    def run(checkpointed):
        encoder = random_encoder()
        runs, saved = [], []
        for block in encoder.blocks:
            block.feed_forward.register_forward_pre_hook(lambda *_: runs.append(1))
        if checkpointed:
            checkpoint_activations(encoder)
        with torch.autograd.graph.saved_tensors_hooks(
            lambda x: saved.append(x.numel()) or x, lambda x: x
        ):
            hidden_states = encoder.encode(features, torch.tensor([200]))
        forward = len(runs)
        hidden_states[-1].sum().backward()
        return forward, len(runs), sum(saved)

    features = torch.randn(1, 200, 32)
    plain, checkpointed = run(False), run(True)
    assert plain[:2] == (3, 3)
    assert checkpointed[:2] == (3, 6)
    assert checkpointed[2] < 0.4 * plain[2]


def test_the_state_of_an_encoder_does_not_change():
    encoder, plain = random_encoder(), random_encoder()
    checkpoint_activations(encoder)
    assert list(encoder.state_dict()) == list(plain.state_dict())
    with torch.no_grad():
        assert torch.equal(encoder(*waveforms())[0][-1], plain(*waveforms())[0][-1])


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_option_of_a_training(tmp_path, value):
    recipe = write_recipe(tmp_path, num_utterances=1)
    parser = DistillPruneTask.get_parser()
    arguments = options(recipe, "out", "--activation_checkpointing", value)
    student = DistillPruneTask.build_model(
        parser.parse_args(arguments)
    ).objective.student
    kinds = {isinstance(block, CheckpointedBlock) for block in student.blocks}
    assert kinds == {value == "true"}
