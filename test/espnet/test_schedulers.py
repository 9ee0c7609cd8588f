"""The learning rate of [W23] by hand, and what it needs to know."""

import argparse

import pytest
import torch

from pruneasr.espnet.schedulers import LinearWarmupDecay, num_batches, set_schedule


def rates(steps, **options):
    """Learning rates of the first steps, of 9 at the peak."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=9.0)
    scheduler = LinearWarmupDecay(optimizer, **options)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_up_within_the_warm_up_and_down_to_nothing():
    found = rates(11, total_steps=10, warmup=0.2)
    assert found == pytest.approx([4.5, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])


def test_the_first_step_moves_and_the_warm_up_is_one_step_at_least():
    assert rates(3, total_steps=3) == pytest.approx([9, 6, 3])


@pytest.mark.parametrize("options", [{"total_steps": 20}, {"warmup": 0.5}])
def test_a_schedule_of_another_length_is_not_resumed(options):
    def schedule(**options):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=9.0)
        return LinearWarmupDecay(optimizer, **{"total_steps": 10} | options)

    state = schedule().state_dict()
    schedule().load_state_dict(state)
    with pytest.raises(ValueError, match="found a checkpoint of one with"):
        schedule(**options).load_state_dict(state)


@pytest.mark.parametrize(
    "options", [{"total_steps": 1}, {"total_steps": 9, "warmup": 1}]
)
def test_impossible_lengths_are_refused(options):
    with pytest.raises(ValueError, match="expected total_steps >= 2"):
        rates(1, **options)


def test_length_is_that_of_the_optimiser_steps():
    args = argparse.Namespace(
        max_epoch=3,
        num_iters_per_epoch=8,
        accum_grad=4,
        scheduler="linearwarmupdecay",
        scheduler_conf={},
    )
    assert num_batches(args) == 24
    set_schedule(args)
    assert args.scheduler_conf == {"total_steps": 6}
    args.num_iters_per_epoch = None
    with pytest.raises(ValueError, match="the length of the training"):
        num_batches(args)
