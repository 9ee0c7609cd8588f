"""Every rate of understanding against cases worked by hand."""

import json
import sys

import pytest

from pruneasr.bin import score_slu
from pruneasr.data.semantic_frames import SemanticFrame, read_frame
from pruneasr.scoring.semantic_frames import (
    char_distance,
    distance_counts,
    exact_counts,
    score_frames,
    word_distance,
)


def frame(intent, *slots):
    return SemanticFrame(intent, slots)


REFERENCES = {
    "a": frame("set", ("time", "eight am"), ("date", "this week")),
    "b": frame("play", ("song", "yesterday")),
    "c": frame("stop"),
}
HYPOTHESES = {
    "a": frame("set", ("time", "eight pm"), ("date", "this week")),
    "b": frame("set", ("song", "yesterday"), ("date", "today")),
    "c": frame("stop"),
}


def test_rates_by_hand():
    scores = score_frames(REFERENCES, HYPOTHESES)
    # exact: date of a and song of b hit; time of a is wrong on both sides; date of b
    # is one too many: 2 hits, 2 false positives, 1 false negative
    assert scores["slot_f1"] == pytest.approx(100 * 4 / 7)
    # words: three names hit; "eight pm" has one of two words wrong (0.5 on each side);
    # date of b is one too many: hits 3, false positives 1.5, false negatives 0.5
    assert scores["slu_f1_word"] == pytest.approx(100 * 6 / 8)
    # characters: one of eight wrong: hits 3, false positives 1.125, negatives 0.125
    assert scores["slu_f1_char"] == pytest.approx(100 * 6 / 7.25)
    # both together: 6 hits, 2.625 and 0.625
    assert scores["slu_f1"] == pytest.approx(100 * 12 / 15.25)
    assert scores["intent_accuracy"] == pytest.approx(200 / 3)
    assert scores["joint_accuracy"] == pytest.approx(100 / 3)
    assert scores["slot_accuracy_time"] == pytest.approx(200 / 3)
    assert scores["slot_accuracy_date"] == pytest.approx(200 / 3)
    assert scores["slot_accuracy_song"] == pytest.approx(100)
    assert scores["slot_accuracy"] == pytest.approx(700 / 9)
    assert scores["Snt"] == 3


def test_perfect_and_hopeless():
    perfect = score_frames(REFERENCES, REFERENCES)
    assert {value for name, value in perfect.items() if name != "Snt"} == {100}
    nothing = score_frames(REFERENCES, dict.fromkeys(REFERENCES, frame("")))
    for name in ("slot_f1", "slu_f1", "intent_accuracy", "joint_accuracy"):
        assert nothing[name] == 0
    assert nothing["slot_accuracy_time"] == pytest.approx(200 / 3)  # rightly absent


def test_each_understood_slot_takes_the_closest_reference_of_its_name():
    reference = [("date", "next week"), ("date", "today")]
    counts = distance_counts(
        reference, [("date", "today"), ("date", "week")], word_distance
    )
    assert (counts.hits, counts.false_positives) == (2, 0.5)
    assert counts.false_negatives == 0.5
    # a third one of that name finds no reference left; another name never does
    more = [("date", "today"), ("date", "today"), ("date", "today"), ("time", "today")]
    counts = distance_counts(reference, more, word_distance)
    # "today" for "next week": one substitution and one deletion in two words
    assert (counts.hits, counts.false_positives) == (2, 1 + 1 + 1)
    assert counts.false_negatives == 1


def test_repeated_slots_count_as_often_as_they_occur():
    counts = exact_counts(
        [("a", "x"), ("a", "x"), ("b", "y")], [("a", "x"), ("b", "z")]
    )
    assert (counts.hits, counts.false_positives, counts.false_negatives) == (1, 1, 2)


def test_an_empty_slot_is_one_too_many():
    """As SLURP's own evaluation counts it."""
    reference = {"a": frame("set", ("time", "at eight"))}
    scores = score_frames(reference, {"a": read_frame("set time: time:at eight")})
    assert scores["slot_f1"] == pytest.approx(100 * 2 / 3)
    # the empty one takes the reference, at a distance of 1; the right one finds none
    # left: hits 1, false positives 1 + 1, false negatives 1
    assert scores["slu_f1_word"] == scores["slu_f1_char"] == pytest.approx(40)
    assert scores["joint_accuracy"] == scores["slot_accuracy_time"] == 0
    absent = score_frames({"a": frame("stop")}, {"a": read_frame("stop date:")})
    assert absent["joint_accuracy"] == 0
    assert absent["slot_f1"] == 0


def test_distances():
    assert word_distance("eight am", "eight am now please then") == 1.5
    assert char_distance("eight am", "eight pm") == pytest.approx(1 / 8)
    assert char_distance("ab", "abcd") == pytest.approx(2 / 4)
    assert char_distance("a b", "ab") == pytest.approx(1 / 3)  # a space is a character


def test_the_same_utterances_are_needed():
    others = {"a": HYPOTHESES["a"], "b": HYPOTHESES["b"], "d": HYPOTHESES["c"]}
    with pytest.raises(ValueError, match=r"1 missing \['c'\] and 1 without.*'d'"):
        score_frames(REFERENCES, others)


def run(monkeypatch, folder, ref, hyp):
    (folder / "ref").write_text(ref)
    (folder / "hyp").write_text(hyp)
    options = [f"--{name}={folder / name}" for name in ("ref", "hyp")]
    monkeypatch.setattr(sys, "argv", ["score_slu", *options, f"--output={folder}"])
    score_slu.main()


def test_command_line(monkeypatch, tmp_path, capsys):
    ref = "a order size:small\nb order size:large roast:dark roast\n"
    run(monkeypatch, tmp_path, ref, "a order size:small\nb order size:large roast:\n")
    scores = json.loads((tmp_path / "score_slu.json").read_text())
    assert scores["intent_accuracy"] == 100
    # of three slots two are right; the empty one was said too much
    assert scores["slot_f1"] == pytest.approx(100 * 2 * 2 / 6)
    assert scores["joint_accuracy"] == 50
    assert "slot_f1 66.7" in capsys.readouterr().out


def test_command_line_refuses_broken_references(monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        run(monkeypatch, tmp_path, "a order size:\nb\n", "a order\nb order\n")
    error = capsys.readouterr().err
    assert "labels of 2 of 2" in error
    assert "b: expected a label, found none" in error
