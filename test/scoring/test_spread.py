"""Means, spreads and verdicts, by hand."""

import pytest

from pruneasr.scoring.spread import spread, verdict


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        # standard error of the difference to 10, 12: 1 and 1 make 1.41, twice is 2.83
        ((13.0, 15.0), "worse"),
        ((12.0, 14.0), "equal"),
        ((7.0, 9.0), "better"),
        ((9.0, 11.0), "equal"),
        ((40.0,), ""),
    ],
)
def test_a_difference_counts_beyond_two_standard_errors(ours, said):
    assert verdict(ours, (10.0, 12.0)) == said


def test_mean_and_sample_deviation():
    assert spread((1.0, 2.0, 3.0)) == "2.0 ± 1.0"
    assert spread((0.5,), 3) == "0.500"
