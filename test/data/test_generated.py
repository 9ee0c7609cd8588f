"""Generated corpora: disjoint sets, the same every time, text apart from speech."""

import pytest

from pruneasr.data import generated
from pruneasr.data.generated import Line, plan

SIZES = {"train": 20, "dev": 8, "test": 8}


def draw(generator):
    number = str(generator.randrange(100))
    return Line(f"say {number}", f"number [value {number} ]")


def test_sets_share_neither_speakers_nor_sentences():
    corpus = plan(draw, SIZES, seed=0)
    assert {name: len(items) for name, items in corpus.items()} == SIZES
    voices = [{item.voice for item, _ in items} for items in corpus.values()]
    assert not set.intersection(*voices)
    assert len(set.union(*voices)) == sum(map(len, voices))
    variants = [voice.variant for voice in set.union(*voices)]
    assert len(set(variants)) == len(variants)
    spoken = [item.text for items in corpus.values() for item, _ in items]
    assert len(set(spoken)) == len(spoken)


def test_more_sentences_than_there_are_is_refused(monkeypatch):
    monkeypatch.setattr(generated, "MAX_REPEATS", 1000)
    assert len(plan(draw, {**SIZES, "train": 84}, seed=0)["train"]) == 84
    with pytest.raises(ValueError, match=r"expected 85 .* found 84 beside the 16 of"):
        plan(draw, {**SIZES, "train": 85}, seed=0)


def test_what_is_written_belongs_to_what_is_spoken():
    for items in plan(draw, SIZES, seed=0).values():
        for item, text in items:
            assert text == f"number [value {item.text.split()[1]} ]"


def test_test_set_depends_on_the_seed_only():
    corpus = plan(draw, SIZES, seed=0)
    larger = plan(draw, {**SIZES, "train": 40}, seed=0)
    assert larger["test"] == corpus["test"]
    assert larger["dev"] == corpus["dev"]
    assert larger["train"][:20] == corpus["train"]
    assert plan(draw, SIZES, seed=1)["test"] != corpus["test"]


def test_a_corpus_that_cannot_be_made_is_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generated, "MAX_REPEATS", 1000)
    command = ["local/make_corpus.py", str(tmp_path), "--num-test", "101"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit, match="1"):
        generated.run(draw, "numbers")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("make_corpus: expected 101 sentences not said yet, found 1")
