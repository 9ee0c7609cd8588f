"""egs/superb/local: who is in which set, and what the texts are."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pruneasr.data.datadir import Utterance, read_data_dir
from pruneasr.data.manifest import ManifestRow, write_manifest
from pruneasr.data.semantic_frames import SemanticFrame
from pruneasr.superb.segments import parse_segments


@pytest.fixture
def local(monkeypatch, local_module):
    """Return a function that imports a file of egs/superb/local, with its siblings."""
    folder = Path(__file__).parents[2] / "egs" / "superb" / "local"
    monkeypatch.syspath_prepend(str(folder))
    yield lambda name: local_module("superb", name)
    for name in ("splits", "prepare_keywords"):
        sys.modules.pop(name, None)


def row(path, speaker, *, label="", text="", split="all"):
    return ManifestRow(path, "1.000", speaker, text, label, split)


def names(sets):
    return {name: {item.speaker for item in items} for name, items in sets.items()}


def test_an_order_without_meaning_is_always_the_same(local):
    splits = local("splits")
    order = splits.shuffled(f"s{i}" for i in range(20))
    assert order == splits.shuffled(reversed([f"s{i}" for i in range(20)]))
    assert order != sorted(order)
    members = splits.hold_out(order, 3, 5)
    assert {name: len(those) for name, those in members.items()} == {
        "test": 5,
        "dev": 3,
        "train": 12,
    }
    assert members["test"] == splits.hold_out(order, 7, 5)["test"]
    with pytest.raises(ValueError, match="less than 20"):
        splits.hold_out(order, 10, 10)


def test_a_recording_in_two_sets_is_refused(local, tmp_path, write_wav):
    path = write_wav("a.wav")
    sets = {name: [Utterance("a", "a", path, "x")] for name in ("train", "dev")}
    with pytest.raises(ValueError, match="is in dev and in train"):
        local("splits").write_task(tmp_path / "ks", [sets], "")


@pytest.fixture
def write_wav(tmp_path):
    def write(name, seconds=1.0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(0)
        samples = generator.normal(size=int(16000 * seconds)) / 10
        soundfile.write(path, samples, 16000)
        return str(path)

    return write


def test_keywords_keep_speakers_apart(local, tmp_path, monkeypatch):
    module = local("prepare_keywords")
    rows = [
        row(f"{word}/{s}.opus", f"s{s}", label=word, split="dev" if s < 3 else "train")
        for s in range(30)
        for word in ("up", "down")
    ]
    monkeypatch.setattr(module, "read_manifest", lambda _: rows)
    sets = module.sets_of(tmp_path)
    speakers = names(sets)
    assert speakers["test"] == {"s0", "s1", "s2"}
    assert len(speakers["dev"]) == 2
    assert len(speakers["train"]) == 25
    assert sum(map(len, speakers.values())) == 30
    assert {item.text for item in sets["train"]} == {"up", "down"}
    monkeypatch.setattr(module, "read_manifest", lambda _: rows[:6])
    with pytest.raises(ValueError, match="the splits train and dev"):
        module.sets_of(tmp_path)


def test_trials_are_as_many_of_each_kind(local):
    utterances = [Utterance(f"s{i % 3}-{i}", f"s{i % 3}", "", "") for i in range(9)]
    trials = local("prepare_verification").trials_of(utterances, limit=5)
    kinds = [line.split()[2] for line in trials]
    assert kinds == ["target"] * 5 + ["nontarget"] * 5
    for line in trials:
        first, second, kind = line.split()
        assert (first[:2] == second[:2]) == (kind == "target")
    assert len(local("prepare_verification").trials_of(utterances, limit=50)) == 18


def test_speakers_to_identify_are_in_all_sets(local, tmp_path):
    rows = [row(f"{s}/{i}.opus", f"{s}") for s in range(3) for i in range(40)]
    module = local("prepare_speakers")
    sets = module.sets_of(rows, tmp_path, most=32)
    assert {name: len(items) for name, items in sets.items()} == {
        "train": 60,
        "dev": 12,
        "test": 24,
    }
    assert set(map(frozenset, names(sets).values())) == {frozenset("012")}
    paths = [item.audio for items in sets.values() for item in items]
    assert len(set(paths)) == len(paths)
    with pytest.raises(ValueError, match="found 4 of 0"):
        module.sets_of(rows[:4], tmp_path, most=32)


def test_every_speaker_is_tested_once_by_emotion(local, tmp_path):
    rows = [
        row(f"{s}{e}.opus", f"{s:02d}", label=e) for s in range(10) for e in ("a", "b")
    ]
    splits = local("prepare_emotion").splits_of(rows, tmp_path)
    assert len(splits) == 5
    for sets in splits:
        speakers = names(sets)
        assert [len(speakers[n]) for n in ("train", "dev", "test")] == [6, 2, 2]
        assert not speakers["train"] & speakers["test"] | speakers["dev"] & (
            speakers["train"] | speakers["test"]
        )
    tested = [name for sets in splits for name in sorted(names(sets)["test"])]
    assert sorted(tested) == [f"{s:02d}" for s in range(10)]


def test_the_first_pronunciation_counts(local, tmp_path):
    module = local("prepare_transcripts")
    path = tmp_path / "an4.dic"
    path.write_text("A AH\nA(2) EY\nGO G OW\n")
    lexicon = module.read_lexicon(path)
    (item,) = module.pronounced([Utterance("u", "u", "", "GO A")], lexicon)
    assert item.text == "G OW AH"
    with pytest.raises(ValueError, match="u: STOP is not in the lexicon"):
        module.pronounced([Utterance("u", "u", "", "STOP")], lexicon)


def test_orders_become_intents_and_tags(local):
    module = local("prepare_orders")
    frame = SemanticFrame(
        "orderDrink", (("size", "twelve ounce"), ("coffeeDrink", "iced mocha"))
    )
    assert module.ordered_drink(frame) == "iced_mocha"
    with pytest.raises(ValueError, match="a drink in every order"):
        module.ordered_drink(SemanticFrame("orderDrink", frame.slots[:1]))
    assert module.tagged_slots(frame) == (
        "B-size twelve ounce E-size B-coffeeDrink iced mocha E-coffeeDrink"
    )


def test_speakers_of_mixtures_are_apart(local, tmp_path, write_wav, monkeypatch):
    speakers = [str(number) for number in range(10, 20)]
    for speaker in speakers:
        write_wav(f"{speaker}.wav", 1.0)
    write_manifest(tmp_path, [row(f"{s}.wav", s, text="A") for s in speakers])
    module = local("prepare_mixtures")
    monkeypatch.setattr(module, "require_pyannote", lambda: None)
    output = tmp_path / "sd"
    sizes = ["--num-train", "9", "--num-dev", "4", "--num-test", "4"]
    monkeypatch.setattr(sys, "argv", ["sd", str(tmp_path), str(output), *sizes])
    module.main()
    heard = {
        name: {
            segment.speaker
            for item in read_data_dir(output / "split1" / name)
            for segment in parse_segments(item.text)
        }
        for name in ("train", "dev", "test")
    }
    assert not heard["train"] & (heard["dev"] | heard["test"])
    assert not heard["dev"] & heard["test"]
    assert [len(heard[name]) for name in ("dev", "test")] == [2, 2]


def test_mixtures_follow_from_their_name_and_overlap(local, tmp_path, write_wav):
    paths = {}
    for speaker, seconds in (("19", 3.0), ("26", 8.0), ("32", 2.5)):
        write_wav(f"{speaker}.wav", seconds)
        paths[speaker] = [f"{speaker}.wav"]
    module = local("prepare_mixtures")
    items = [
        module.mix(paths, tmp_path, tmp_path / folder, f"train{i}")
        for folder in ("a", "b")
        for i in range(4)
    ]
    assert [item.text for item in items[:4]] == [item.text for item in items[4:]]
    assert len({item.text for item in items}) > 1
    for item in items:
        first, second = parse_segments(item.text)
        assert first.speaker != second.speaker
        assert first.start == 0 < second.start < first.end
        assert max(first.end, second.end - second.start) <= module.MAX_SECONDS
        length = soundfile.info(item.audio).frames / 16000
        assert length == pytest.approx(max(first.end, second.end), abs=1e-3)


def test_queries_and_documents(local, tmp_path):
    module = local("prepare_queries")
    keywords = [
        Utterance(f"s{i}-{word}", f"s{i}", "x", word)
        for i in range(5)
        for word in ("up", "down")
    ]
    queries = module.queries_of(keywords, per_word=2)
    assert sorted(item.text for item in queries) == ["DOWN", "DOWN", "UP", "UP"]
    rows = [row(f"{s}-{i}.opus", f"{s}", text="GO UP") for s in "ab" for i in range(5)]
    documents = module.documents_of(rows, tmp_path, {"a"}, most=3)
    assert len(documents) == 3
    assert {item.speaker for item in documents} == {"a"}
    assert documents[0].text == "GO UP"
