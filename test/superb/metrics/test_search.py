"""Subsequence DTW against librosa and by hand; MTWV by hand and by brute force."""

import functools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pruneasr.superb.metrics import dtw
from pruneasr.superb.metrics.mtwv import BETA, maximum_term_weighted_value

SHAPES = [(6, 20), (20, 12), (5, 1), (1, 5), (4, 2)]


def random_frames(seed, *shapes):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def test_distance_is_that_of_scipy():
    query, document = random_frames(0, (7, 5), (11, 5))
    expected = np.exp(cdist(query, document, "cosine")) - 1
    np.testing.assert_allclose(
        dtw.cosine_exp_distance(query, document), expected, atol=1e-5
    )


def test_rows_are_scaled():
    distance = np.array([[1.0, 3.0, 2.0], [5.0, 5.0, 5.0]])
    np.testing.assert_allclose(dtw.scale_rows(distance), [[0, 1, 0.5], [0, 0, 0]])


def test_cost_by_hand():
    # start at column 1 (0), stay (2) or go on (1), then skip to column 4 (0)
    distance = np.array([[9, 0, 9, 9, 9], [9, 2, 1, 9, 9], [9, 9, 9, 9, 0.0]])
    assert dtw.subsequence_cost(distance) == pytest.approx(1 / 3)


def slow_cost(distance):
    """The recursion as it is defined, cell by cell."""
    rows, columns = distance.shape

    @functools.cache
    def cost(i, j):
        if i == 0:
            return distance[0, j]
        return distance[i, j] + min(cost(i - 1, k) for k in range(max(0, j - 2), j + 1))

    return min(cost(rows - 1, j) for j in range(columns)) / rows


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_cost_is_that_of_the_recursion(seed, shape):
    (distance,) = np.abs(random_frames(seed, shape))
    assert dtw.subsequence_cost(distance) == pytest.approx(slow_cost(distance))


@pytest.mark.parametrize("seed", range(5))
def test_cost_is_that_of_dtw_python(seed):
    package = pytest.importorskip(
        "dtw", reason="dtw-python, which s3prl uses, is not installed"
    )
    (distance,) = np.abs(random_frames(seed, (8, 40)))
    alignment = package.dtw(
        distance, step_pattern="asymmetric", open_begin=True, open_end=True
    )
    expected = alignment.normalizedDistance
    assert dtw.subsequence_cost(distance) == pytest.approx(expected, rel=1e-5)


def test_a_query_is_found_where_it_is():
    query, other, document = random_frames(1, (10, 8), (30, 8), (30, 8))
    document[12:22] = query
    assert dtw.match_score(query, document) == pytest.approx(0, abs=1e-5)
    assert dtw.match_score(query, other) < -0.05


def test_nothing_has_no_cost():
    with pytest.raises(ValueError, match=r"found \(0, 4\)"):
        dtw.subsequence_cost(np.zeros((0, 4), np.float32))


def brute_force(trials):
    thresholds = [score for documents in trials.values() for score, _ in documents]
    values = [0.0]
    for threshold in thresholds:
        losses = []
        for documents in trials.values():
            hits = [score for score, target in documents if target]
            others = [score for score, target in documents if not target]
            if hits and others:
                miss = np.mean([score < threshold for score in hits])
                false_alarm = np.mean([score >= threshold for score in others])
                losses.append(miss + BETA * false_alarm)
        values.append(1 - np.mean(losses))
    return max(values)


def test_beta_is_that_of_quesst():
    assert pytest.approx(12.49) == BETA


def test_value_by_hand():
    # accepting from 0.8 up finds both of "a" and half of "b" without a false alarm
    trials = {
        "a": [(0.9, True), (0.8, True), (0.1, False)],
        "b": [(0.95, True), (0.2, True), (0.5, False)],
        "nowhere": [(2.0, False), (1.0, False)],
    }
    assert maximum_term_weighted_value(trials) == pytest.approx(0.75)
    assert maximum_term_weighted_value({"a": [(0.1, True), (0.9, False)]}) == 0


def test_equal_scores_are_accepted_together():
    assert maximum_term_weighted_value({"a": [(0.5, True), (0.5, False)]}) == 0


@pytest.mark.parametrize("seed", range(5))
def test_value_is_that_of_trying_all_thresholds(seed):
    generator = np.random.default_rng(seed)
    trials = {
        str(query): [
            (round(float(score + 2 * target), 1), bool(target))
            for score, target in zip(
                generator.normal(size=200), generator.random(200) < 0.1, strict=True
            )
        ]
        for query in range(4)
    }
    expected = brute_force(trials)
    assert expected > 0
    assert maximum_term_weighted_value(trials) == pytest.approx(expected)


def test_queries_that_cannot_be_judged_are_refused():
    with pytest.raises(ValueError, match="among 1 queries"):
        maximum_term_weighted_value({"a": [(0.5, True)]})
