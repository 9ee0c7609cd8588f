"""Slot type F1 and slot value CER, worked by hand after s3prl's definition."""

import pytest

from pruneasr.superb.metrics.slots import slot_type_f1, slot_value_cer, slots_of


def test_slots_are_read():
    text = "play B-song let it be E-song by B-artist the  beatles E-artist now"
    assert slots_of(text) == {"song": ["let it be"], "artist": ["the beatles"]}
    assert slots_of("B-a x E-a B-a y E-a") == {"a": ["x", "y"]}
    assert slots_of("B-a x E-b B-c y") == {}
    assert slots_of("B-ab x E-a E-ab") == {"ab": ["x"]}
    assert slots_of("") == {}


def test_type_f1_is_of_sets_and_a_mean_over_utterances():
    references = {
        "both": "B-a x E-a B-b y E-b",
        "one": "B-a x E-a B-b y E-b",
        "none": "hello",
        "wrong": "hello",
    }
    hypotheses = {
        "both": "B-b q E-b B-a w E-a B-a w E-a",  # 1: values and number do not count
        "one": "B-a x E-a B-c y E-c B-d y E-d",  # precision 1/3, recall 1/2: 0.4
        "none": "yes",  # 1
        "wrong": "B-a x E-a",  # 0
    }
    assert slot_type_f1(references, hypotheses) == pytest.approx(100 * 2.4 / 4)


def test_value_cer_takes_the_nearest_value_of_the_type():
    references = {"u": "B-a four E-a B-a five E-a B-b two E-b"}
    hypotheses = {"u": "B-a fine E-a B-c two E-c"}
    # four/fine 3, five/fine 1, two is missed: 3; of 4 + 4 + 3 characters
    assert slot_value_cer(references, hypotheses) == pytest.approx(100 * 7 / 11)


def test_what_is_said_too_much_costs_nothing():
    references = {"u": "B-a four E-a"}
    assert slot_value_cer(references, {"u": "B-a four E-a B-b x E-b B-a y E-a"}) == 0


def test_references_without_slots_have_no_cer():
    with pytest.raises(ValueError, match="found none"):
        slot_value_cer({"u": "hello"}, {"u": "hello"})
    with pytest.raises(ValueError, match="without a reference"):
        slot_type_f1({"u": "hello"}, {"u": "hello", "v": "x"})
