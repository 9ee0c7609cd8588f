"""The pairings on hidden states made for the purpose, and their loss by hand."""

import math

import numpy as np
import pytest
import torch

from pruneasr.distill.pairing import (
    DISTANCES,
    PAIRINGS,
    FixedPairing,
    FreePairing,
    OrderedPairing,
)

DIM = 4


def states(values, batch=2, frames=3):
    """Hidden states that are constant, one value per layer."""
    return [torch.full((batch, frames, DIM), float(value)) for value in values]


ALL_VALID = torch.ones(2, 3, dtype=torch.bool)


def test_free_takes_the_nearest_living_layer():
    pairing = FreePairing([1, 2], DIM, "mse")
    teacher = states([0, 5.2, 1.1])
    student = states([0, 1, 2, 5])
    loss, pairs = pairing(teacher, student, ALL_VALID, [1, 2, 3])
    assert pairs == {1: 3, 2: 1}
    assert loss.item() == pytest.approx(0.2**2 + 0.1**2, rel=1e-4)
    _, pairs = pairing(teacher, student, ALL_VALID, [2])
    assert pairs == {1: 2, 2: 2}


def test_ordered_descends():
    pairing = OrderedPairing([1, 2, 3], DIM, "mse")
    teacher = states([0, 3, 3, 1.1])
    student = states([0, 1, 2, 3])
    # layer 3 is nearest to student 1; nothing is left below for the others
    _, pairs = pairing(teacher, student, ALL_VALID, [1, 2, 3])
    assert pairs == {3: 1, 2: 1, 1: 1}
    teacher = states([0, 3, 3, 3])
    _, pairs = pairing(teacher, student, ALL_VALID, [1, 2, 3])
    assert pairs == {3: 3, 2: 2, 1: 1}


def test_fixed_takes_what_is_given_even_where_a_block_is_gone():
    pairing = FixedPairing([1, 2], DIM, "mse", student_layers=[0, 3])
    _, pairs = pairing(states([0, 1, 2]), states([0, 1, 2, 3]), ALL_VALID, [1])
    assert pairs == {1: 0, 2: 3}


def test_heads_predict_every_layer_from_the_last():
    torch.manual_seed(0)
    pairing = PAIRINGS["heads"]([1, 2], DIM, "l1_cosine")
    loss, pairs = pairing(states([0, 1, 2]), states([0, 7]), ALL_VALID, [1])
    assert pairs == {1: 1, 2: 1}
    loss.backward()
    assert all(p.grad.abs().sum() > 0 for p in pairing.parameters())


def test_every_head_is_compared_with_its_own_layer():
    pairing = PAIRINGS["heads"]([1, 2], DIM, "mse")
    for layer, value in ((1, 1.0), (2, 2.5)):
        pairing.map[str(layer)].weight.data.zero_()
        pairing.map[str(layer)].bias.data.fill_(value)
    loss, _ = pairing(states([0, 1, 2]), states([0, 7]), ALL_VALID, [1])
    assert loss.item() == pytest.approx(0.0 + 0.5**2)


def test_l1_and_cosine_by_hand():
    """Mean of |3-4|, |4-3|, and -log sigmoid of the cosine, 24 / 25."""
    student, teacher = torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0]])
    loss = DISTANCES["l1_cosine"](student, teacher)
    assert loss.item() == pytest.approx(1 + math.log(1 + math.exp(-0.96)))


def test_l1_less_cosine_by_hand():
    student, teacher = torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0]])
    loss = DISTANCES["l1_minus_cosine"](student, teacher)
    assert loss.item() == pytest.approx(1 - 0.96)


def test_a_layer_with_a_map_of_its_own():
    pairing = FixedPairing([0, 1, 2], DIM, "mse", own_maps=[0])
    pairing.own_maps["0"].bias.data.fill_(1.0)
    pairing.map.bias.data.fill_(0.5)
    loss, _ = pairing(states([0, 0, 0]), states([0, 0, 0]), ALL_VALID, [1, 2])
    assert loss.item() == pytest.approx(1.0 + 0.25 + 0.25)
    with pytest.raises(ValueError, match=r"out of the student_layers .* found \[3\]"):
        FixedPairing([0, 1], DIM, "mse", own_maps=[3])


def test_nothing_living_falls_back_to_the_input_of_the_blocks():
    pairing = FreePairing([1], DIM, "mse")
    _, pairs = pairing(states([0, 1]), states([1, 1]), ALL_VALID, [])
    assert pairs == {1: 0}


def test_only_valid_frames_count():
    torch.manual_seed(0)
    pairing = FreePairing([1], DIM, "mse")
    teacher = [torch.randn(2, 3, DIM) for _ in range(2)]
    student = [torch.randn(2, 3, DIM) for _ in range(2)]
    valid = torch.tensor([[True, True, True], [True, False, False]])
    loss, _ = pairing(teacher, student, valid, [1])
    a, b = teacher[1].numpy(), student[1].numpy()
    frames = [(0, 0), (0, 1), (0, 2), (1, 0)]
    by_hand = np.mean([(a[f] - b[f]) ** 2 for f in frames])
    assert loss.item() == pytest.approx(float(by_hand), rel=1e-5)
    student[1][~valid] = float("nan")
    assert torch.equal(pairing(teacher, student, valid, [1])[0], loss)


def test_identical_states_have_no_distance():
    teacher = [torch.randn(2, 3, DIM) for _ in range(3)]
    for name in ("free", "ordered", "fixed"):
        loss, _ = PAIRINGS[name]([1, 2], DIM, "mse")(
            teacher, teacher, ALL_VALID, [1, 2]
        )
        assert loss.item() == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], DIM, "mse"), "ascend"),
        (([2, 1], DIM, "mse"), "ascend"),
        (([1], DIM, "kl"), "mse"),
    ],
)
def test_bad_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        FreePairing(*arguments)


def test_fixed_wants_one_student_layer_per_teacher_layer():
    with pytest.raises(ValueError, match="expected 2 student_layers"):
        FixedPairing([1, 2], DIM, "mse", student_layers=[1])
