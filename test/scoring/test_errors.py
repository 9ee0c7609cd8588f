"""Error counts against cases worked out by hand."""

import pytest

from pruneasr.data.text import make_splitter
from pruneasr.scoring.errors import score

WORDS = make_splitter("word")
CHARACTERS = make_splitter("char")


def test_words_of_three_utterances():
    references = {"b": "THE CAT SAT", "a": "YES", "c": "GO HOME NOW PLEASE"}
    # a: right; b: one substituted, one inserted; c: two deleted
    hypotheses = {"a": "YES", "b": "THE DOG SAT DOWN", "c": "GO  NOW "}
    result = score(references, hypotheses, WORDS)
    assert [item.utterance for item in result.utterances] == ["a", "b", "c"]
    assert [item.num_errors for item in result.utterances] == [0, 2, 2]
    assert result.columns() == {
        "Snt": 3,
        "Wrd": 8,
        "Corr": 100 * 5 / 8,
        "Sub": 100 * 1 / 8,
        "Del": 100 * 2 / 8,
        "Ins": 100 * 1 / 8,
        "Err": 100 * 4 / 8,
        "S.Err": 100 * 2 / 3,
    }
    _, cat, home = result.utterances
    assert cat.reference == ("THE", "CAT", "SAT", "***")
    assert cat.hypothesis == ("THE", "DOG", "SAT", "DOWN")
    assert cat.marks == ("", "S", "", "I")
    assert home.hypothesis == ("GO", "***", "NOW", "***")
    assert home.marks == ("", "D", "", "D")


def test_characters_count_the_space():
    # "AB C" has 4 tokens; B is substituted and the space deleted.
    result = score({"u": "AB C"}, {"u": "AXC"}, CHARACTERS)
    assert (result.num_tokens, result.hits) == (4, 2)
    assert (result.substitutions, result.deletions, result.insertions) == (1, 1, 0)
    assert result.utterances[0].reference == ("A", "B", "<space>", "C")


def test_nothing_recognised_and_nothing_said():
    result = score({"a": "YES SIR", "b": ""}, {"a": "", "b": "OH"}, WORDS)
    assert (result.deletions, result.insertions, result.hits) == (2, 1, 0)
    columns = result.columns()
    assert (columns["Err"], columns["S.Err"]) == (150.0, 100.0)
    quiet = score({"a": "YES", "b": ""}, {"a": "YES", "b": ""}, WORDS)
    assert quiet.columns()["S.Err"] == 0.0


def test_other_utterances_are_an_error():
    with pytest.raises(
        ValueError, match=r"found 1 missing \['b'\] and 2 without .*'c'"
    ):
        score({"a": "X", "b": "X"}, {"a": "X", "c": "X", "d": "X"}, WORDS)
    with pytest.raises(ValueError, match="expected references, found none"):
        score({}, {}, WORDS)
    with pytest.raises(ValueError, match="found empty ones only"):
        score({"a": ""}, {"a": "X"}, WORDS)
