"""The objective: its parts, its gradients, what it keeps out of checkpoints."""

import pytest
import torch
from tiny import random_encoder, tiny_config, waveforms

from pruneasr.distill.model import Distillation, living_layers
from pruneasr.distill.pairing import FixedPairing, FreePairing
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import attach_gates, find_gates

UNITS = ("qk", "vo", "ffn", "mha_layer", "ffn_layer")


def make(target=0.5, warmup_steps=4):
    torch.manual_seed(0)
    teacher, student = random_encoder(), random_encoder()
    attach_gates(student, UNITS)
    constraint = Constraint(
        student.config, UNITS, target=target, warmup_steps=warmup_steps
    )
    pairing = FreePairing([1, 3], teacher.config.dim, "mse")
    return Distillation(teacher, student, pairing, constraint).train()


def test_loss_is_distance_plus_lagrangian():
    objective = make()
    objective.constraint.lambda1.data.fill_(2.0)
    objective.step += 2  # half of the warm-up: target 0.25
    loss, stats = objective(*waveforms())
    gap = stats["expected_sparsity_size"] - 0.25
    assert loss.item() == pytest.approx((stats["distance"] + 2 * gap).item(), rel=1e-4)
    assert stats["target_sparsity_size"].item() == pytest.approx(0.25)


def test_everything_learns_but_the_teacher():
    objective = make()
    loss, _ = objective(*waveforms())
    loss.backward()
    assert all(p.grad is not None for p in objective.parameters())
    assert not any(p.requires_grad for p in objective.teacher.parameters())


def test_teacher_is_in_eval_mode_and_no_part_of_the_state():
    objective = make()
    assert objective.student.training
    assert not objective.teacher.training
    assert not any("teacher" in name for name in objective.state_dict())
    assert objective.double().teacher.norm.weight.dtype == torch.float64


def test_a_student_equal_to_the_teacher_has_no_distance():
    encoder = random_encoder()
    pairing = FreePairing([1, 3], encoder.config.dim, "mse")
    loss, stats = Distillation(encoder, random_encoder(), pairing)(*waveforms())
    assert loss.item() == pytest.approx(0.0, abs=1e-9)
    assert stats["pair_1"] == 1
    assert stats["pair_3"] == 3


def test_after_step_counts_and_clamps():
    objective = make()
    gate = find_gates(objective.student)["ffn", 0]
    gate.log_alpha.data.fill_(100.0)
    objective.after_step()
    assert objective.step == 1
    assert gate.log_alpha.max() < 5


def test_living_layers_need_one_living_branch():
    objective = make()
    gates = find_gates(objective.student)
    gates["mha_layer", 0].log_alpha.data.fill_(-4.0)
    gates["mha_layer", 1].log_alpha.data.fill_(-4.0)
    gates["ffn_layer", 1].log_alpha.data.fill_(-4.0)
    assert living_layers(objective.student) == [1, 3]


def test_bad_combinations():
    pairing = FreePairing([1], 32, "mse")
    with pytest.raises(ValueError, match="agree in dim"):
        Distillation(random_encoder(tiny_config(dim=16)), random_encoder(), pairing)
    with pytest.raises(ValueError, match="layers 0 to 3"):
        Distillation(random_encoder(), random_encoder(), FreePairing([9], 32, "mse"))
    with pytest.raises(ValueError, match=r"teacher has layers 0 to 3; found .*-1"):
        Distillation(
            random_encoder(), random_encoder(), FreePairing([-1, 1], 32, "mse")
        )
    shallow = random_encoder(tiny_config(num_blocks=2))
    with pytest.raises(ValueError, match="student has layers 0 to 2; found"):
        Distillation(random_encoder(), shallow, FixedPairing([1, 3], 32, "mse"))
    gated = random_encoder()
    attach_gates(gated, ["ffn"])
    with pytest.raises(ValueError, match="constraint"):
        Distillation(random_encoder(), gated, pairing)
