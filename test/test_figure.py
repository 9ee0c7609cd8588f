"""Where points stand that would hide each other."""

import pytest

from pruneasr.figure import side_by_side


def test_points_of_nearly_one_size_stand_side_by_side():
    # the range is 1, so that they are 0.01 apart around their mean
    places = side_by_side([0.454, 1.4, 0.4, 0.452, 0.453])
    assert places == pytest.approx([0.463, 1.4, 0.4, 0.443, 0.453])


def test_points_of_one_size_alone_stay():
    assert side_by_side([0.3, 0.3]) == [0.3, 0.3]
    assert side_by_side([]) == []
