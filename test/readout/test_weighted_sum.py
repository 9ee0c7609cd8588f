"""A weighted sum starts as the mean and follows its weights."""

import torch

from pruneasr.readout.weighted_sum import WeightedSum


def test_weighted_sum_starts_as_the_mean_and_follows_its_weights():
    states = torch.randn(2, 3, 5, 4)
    weighted_sum = WeightedSum(3)
    torch.testing.assert_close(weighted_sum(states.unbind(1)), states.mean(1))
    with torch.no_grad():
        weighted_sum.weights[1] = 100
    torch.testing.assert_close(weighted_sum(states.unbind(1)), states[:, 1])


def test_one_hidden_state_is_passed_on():
    state, weighted_sum = torch.randn(2, 5, 4), WeightedSum(1)
    assert weighted_sum([state]) is state
    assert list(weighted_sum.parameters()) == []
