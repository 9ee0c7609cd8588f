"""The order of speech is found from labels without one, on frames made by hand."""

import logging
from unittest.mock import Mock

import pytest
import torch
from tiny import random_encoder

from pruneasr.bin.order_slots import main
from pruneasr.data.datadir import write_table
from pruneasr.data.semantic_frames import SemanticFrame, words_of_slots
from pruneasr.encoder import save_encoder
from pruneasr.readout import ordered_sets, word_detector
from pruneasr.readout.spoken_order import in_spoken_order
from pruneasr.readout.word_detector import (
    Heard,
    WordDetector,
    detection_auc,
    train_detector,
)

WORDS = ("small", "large", "mocha", "latte", "dark", "light")
NAMES = ("size", "size", "drink", "drink", "roast", "roast")


def said(generator):
    """Return 3 words, far apart, their label, in order of names, and it as spoken."""
    pairs = torch.tensor([0, 2, 4])
    chosen = (pairs + torch.randint(2, (3,), generator=generator)).tolist()
    order = torch.randperm(3, generator=generator).tolist()
    states = torch.randn(2, 120, len(WORDS), generator=generator) / 10
    for place, i in enumerate(order):
        states[:, 40 * place + 15 : 40 * place + 25, chosen[i]] += 3
    label = SemanticFrame("order", tuple((NAMES[word], WORDS[word]) for word in chosen))
    spoken = SemanticFrame("order", tuple(label.slots[i] for i in order))
    return states, label, spoken


def heard(states, frame):
    return Heard(states, words_of_slots(frame))


@pytest.fixture(scope="module")
def detector():
    generator = torch.Generator().manual_seed(0)
    utterances = [heard(*said(generator)[:2]) for _ in range(32)]
    with pytest.MonkeyPatch.context() as patch:  # words of one sound need few steps
        patch.setattr(word_detector, "WIDTH", 32)
        patch.setattr(word_detector, "KERNELS", (9,))
        patch.setattr(word_detector, "EPOCHS", 25)
        patch.setattr(word_detector, "LEARNING_RATE", 0.01)
        return train_detector(utterances, seed=0)


def test_slots_are_put_where_they_are_heard(detector):
    generator = torch.Generator().manual_seed(1)
    triples = [said(generator) for _ in range(20)]
    found = [in_spoken_order(detector, states, label) for states, label, _ in triples]
    assert found == [spoken for _, _, spoken in triples]
    assert any(label != spoken for _, label, spoken in triples)
    utterances = [heard(states, label) for states, label, _ in triples]
    assert detection_auc(detector, utterances) > 0.99


def test_a_value_is_where_all_its_words_are_close():
    detector = WordDetector(1, 1, ["milk:some", "sugar:some", "of", "cream", "sweet"])
    scores = torch.full((5, 100), -9.0)
    scores[2, [10, 70]] = 5.0  # both values have "of"
    scores[3, 74] = scores[4, 15] = 5.0
    detector.forward = Mock(return_value=scores)
    frame = SemanticFrame(
        "order", (("milk", "some of cream"), ("sugar", "some of sweet"))
    )
    spoken = in_spoken_order(detector, torch.zeros(1, 200, 1), frame)
    assert spoken.slots == frame.slots[::-1]


def test_a_slot_of_unknown_words_stays_behind_the_one_before(detector):
    generator = torch.Generator().manual_seed(2)
    states, label, spoken = said(generator)
    first = label.slots[0]
    slots = (first, ("syrup", "vanilla"), *label.slots[1:])
    found = in_spoken_order(detector, states, SemanticFrame("order", slots)).slots
    assert found[found.index(first) + 1] == ("syrup", "vanilla")
    assert tuple(s for s in found if s[0] != "syrup") == spoken.slots


TEXTS = {"a": "order size:large drink:mocha", "b": "order size:very small"}


@pytest.fixture
def arguments(tmp_path, write_audio, monkeypatch, caplog):
    """Arguments of the command; an encoder, and data/{train,dev} with TEXTS."""
    monkeypatch.setattr(word_detector, "EPOCHS", 1)
    caplog.set_level(logging.INFO)
    save_encoder(random_encoder(), tmp_path / "encoder", {})
    for name in ("train", "dev"):
        recordings = {key: write_audio(f"{name}/{key}.wav", 8000) for key in TEXTS}
        write_table(tmp_path / name / "wav.scp", recordings)
        write_table(tmp_path / name / "text", TEXTS)
    train = f"{tmp_path}/train"
    return ["--encoder", f"{tmp_path}/encoder", "--train", train, train]


def test_command_line(arguments, tmp_path, caplog):
    main([*arguments, f"{tmp_path}/dev", "--min-auc", "0"])
    for name in ("train", "dev"):
        written = (tmp_path / name / "text").read_text().splitlines()
        assert [sorted(line.split()) for line in written] == [
            sorted([key, *text.split()]) for key, text in TEXTS.items()
        ]
    assert "dev: another order in " in caplog.text


@pytest.mark.parametrize("auc", [0.89, float("nan")])
def test_detectors_that_hear_nothing_change_nothing(
    auc, arguments, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(ordered_sets, "detection_auc", lambda *_: auc)
    before = (tmp_path / "train" / "text").read_text()
    with pytest.raises(SystemExit, match="1"):
        main([*arguments, f"{tmp_path}/dev"])
    assert f"found {auc:.3f}: the order of slots is left" in capsys.readouterr().err
    assert (tmp_path / "train" / "text").read_text() == before


def test_detectors_are_not_checked_on_what_they_learned(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "expected a directory beside " in capsys.readouterr().err


def test_an_utterance_without_audio_is_named(arguments, tmp_path, capsys):
    write_table(tmp_path / "dev" / "text", TEXTS | {"c": TEXTS["a"]})
    with pytest.raises(SystemExit, match="1"):
        main([*arguments, f"{tmp_path}/dev", "--min-auc", "0"])
    assert "found 1 in one of them only: ['c']" in capsys.readouterr().err
