"""Means, spreads and verdicts, by hand."""

import pytest

from pruneasr.scoring.spread import spread, verdict


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        # standard error of the difference to 10, 12: 1 and 1 make 1.414; Student's t of
        # two degrees of freedom is 4.303 at 5 %: the difference must exceed 6.09
        ((17.0, 19.0), "worse"),
        ((16.0, 18.0), "n.s."),
        ((3.0, 5.0), "better"),
        ((4.0, 6.0), "n.s."),
        ((10.0, 12.0), "n.s."),
        ((40.0,), ""),
    ],
)
def test_a_difference_counts_where_chance_is_rarer_than_one_in_twenty(ours, said):
    assert verdict(ours, (10.0, 12.0)) == said


@pytest.mark.parametrize(("ours", "said"), [(9.0, "better"), (10.0, "n.s.")])
def test_without_any_spread_every_difference_counts(ours, said):
    assert verdict((ours, ours), (10.0, 10.0)) == said


def test_one_side_without_spread_is_no_trouble(recwarn):
    assert verdict((20.0, 20.0, 20.0), (22.0, 23.0, 22.0)) == "better"
    assert not recwarn.list


def test_mean_and_sample_deviation():
    assert spread((1.0, 2.0, 3.0)) == "2.0 ± 1.0"
    assert spread((0.5,), 3) == "0.500"
