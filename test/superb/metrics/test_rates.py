"""Error rates, accuracy and equal error rate: by hand, and against other libraries."""

import numpy as np
import pytest
import torchmetrics.functional.text as torchmetrics
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import accuracy_score, roc_curve

from pruneasr.superb.metrics.accuracy import accuracy
from pruneasr.superb.metrics.eer import equal_error_rate
from pruneasr.superb.metrics.errors import character_error_rate, word_error_rate

REFERENCES = {"a": "K AE T", "b": "D AO G Z", "c": "F IH SH"}
HYPOTHESES = {"a": "K AE T", "b": "D AO K", "c": "F F IH SH"}


def test_phones_are_counted_one_by_one():
    # a substitution, a deletion and an insertion in ten phones
    assert word_error_rate(REFERENCES, HYPOTHESES) == pytest.approx(30)


def test_error_rates_are_those_of_torchmetrics():
    references, hypotheses = list(REFERENCES.values()), list(HYPOTHESES.values())
    word = torchmetrics.word_error_rate(hypotheses, references)
    char = torchmetrics.char_error_rate(hypotheses, references)
    assert word_error_rate(REFERENCES, HYPOTHESES) == pytest.approx(100 * float(word))
    assert character_error_rate(REFERENCES, HYPOTHESES) == pytest.approx(
        100 * float(char)
    )


def test_accuracy_is_that_of_sklearn_and_all_words_count():
    references = {"a": "on lights hall", "b": "off lights none", "c": "on heat none"}
    hypotheses = {**references, "b": "off lights hall"}
    assert accuracy(references, hypotheses) == pytest.approx(200 / 3)
    assert accuracy(references, hypotheses) == pytest.approx(
        100 * accuracy_score(list(references.values()), list(hypotheses.values()))
    )


@pytest.mark.parametrize("rate", [accuracy, word_error_rate, character_error_rate])
def test_other_utterances_are_refused(rate):
    with pytest.raises(ValueError, match=r"1 missing \['c'\]"):
        rate(REFERENCES, {"a": "K", "b": "D"})


def test_equal_error_rate_by_hand():
    # at 0.45 one of four targets is missed and one of four others accepted
    targets = [1, 1, 1, 1, 0, 0, 0, 0]
    scores = [0.9, 0.8, 0.7, 0.2, 0.6, 0.3, 0.1, 0.0]
    assert equal_error_rate(targets, scores) == pytest.approx(25)
    assert equal_error_rate(targets, targets) == 0
    assert equal_error_rate(targets, [1 - t for t in targets]) == 100
    assert equal_error_rate(targets, [0.5] * 8) == pytest.approx(50)


@pytest.mark.parametrize("seed", range(5))
def test_equal_error_rate_is_where_the_roc_curve_meets_the_diagonal(seed):
    generator = np.random.default_rng(seed)
    targets = generator.random(200) < 0.3
    scores = generator.normal(size=200) + targets
    false_alarm, hit, _ = roc_curve(targets, scores)
    meets = brentq(lambda x: 1 - x - interp1d(false_alarm, hit)(x), 0, 1)
    assert equal_error_rate(targets, scores) == pytest.approx(100 * meets, abs=1e-6)


def test_equal_error_rate_needs_both_kinds_of_trials():
    with pytest.raises(ValueError, match="found 2 target trials among 2"):
        equal_error_rate([1, 1], [0.1, 0.2])
