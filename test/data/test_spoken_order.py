"""The order of speech is found from labels without one, on frames made by hand."""

import logging
from unittest.mock import Mock

import pytest
import torch
from tiny import random_encoder

from pruneasr.bin.order_slots import main
from pruneasr.data import spoken_order
from pruneasr.data.datadir import write_table
from pruneasr.data.frames import Frame
from pruneasr.data.spoken_order import (
    Heard,
    WordDetector,
    detection_auc,
    in_spoken_order,
    train_detector,
)
from pruneasr.encoder import save_encoder

WORDS = ("small", "large", "mocha", "latte", "dark", "light")
NAMES = ("size", "size", "drink", "drink", "roast", "roast")


def said(generator):
    """An utterance of 3 words, far apart, whose label is in the order of names."""
    pairs = torch.tensor([0, 2, 4])
    chosen = (pairs + torch.randint(2, (3,), generator=generator)).tolist()
    order = torch.randperm(3, generator=generator).tolist()
    states = torch.randn(2, 120, len(WORDS), generator=generator) / 10
    for place, i in enumerate(order):
        states[:, 40 * place + 15 : 40 * place + 25, chosen[i]] += 3
    label = Frame("order", tuple((NAMES[word], WORDS[word]) for word in chosen))
    spoken = Frame("order", tuple(label.slots[i] for i in order))
    return Heard(states, label), spoken


@pytest.fixture(scope="module")
def detector():
    generator = torch.Generator().manual_seed(0)
    utterances = [said(generator)[0] for _ in range(32)]
    with pytest.MonkeyPatch.context() as patch:  # words of one sound need few steps
        patch.setattr(spoken_order, "WIDTH", 32)
        patch.setattr(spoken_order, "EPOCHS", 25)
        patch.setattr(spoken_order, "LEARNING_RATE", 0.01)
        return train_detector(utterances, seed=0)


def test_slots_are_put_where_they_are_heard(detector):
    generator = torch.Generator().manual_seed(1)
    pairs = [said(generator) for _ in range(20)]
    found = [in_spoken_order(detector, heard) for heard, _ in pairs]
    assert found == [spoken for _, spoken in pairs]
    assert any(heard.frame != spoken for heard, spoken in pairs)
    assert detection_auc(detector, [heard for heard, _ in pairs]) > 0.99


def test_a_value_is_where_all_its_words_are_close():
    detector = WordDetector(1, 1, ["a", "milk", "sugar"])
    scores = torch.full((3, 100), -9.0)
    scores[0, [10, 70]] = 5.0  # both slots begin with "a"
    scores[1, 74] = scores[2, 15] = 5.0
    detector.forward = Mock(return_value=scores)
    frame = Frame("order", (("milk", "a milk"), ("sugar", "a sugar")))
    spoken = in_spoken_order(detector, Heard(torch.zeros(1, 200, 1), frame))
    assert spoken.slots == (("sugar", "a sugar"), ("milk", "a milk"))


def test_a_slot_of_unknown_words_stays_behind_the_one_before(detector):
    generator = torch.Generator().manual_seed(2)
    heard, spoken = said(generator)
    first = heard.frame.slots[0]
    slots = (first, ("syrup", "vanilla"), *heard.frame.slots[1:])
    found = in_spoken_order(detector, Heard(heard.states, Frame("order", slots))).slots
    assert found[found.index(first) + 1] == ("syrup", "vanilla")
    assert tuple(s for s in found if s[0] != "syrup") == spoken.slots


def test_without_slots_there_is_nothing_to_learn():
    heard = Heard(torch.zeros(1, 10, 4), Frame("order", ()))
    with pytest.raises(ValueError, match=r"expected slots in the labels of 1 utter"):
        train_detector([heard], seed=0)


TEXTS = {"a": "order size:large drink:mocha", "b": "order size:very small"}


@pytest.fixture
def arguments(tmp_path, write_audio, monkeypatch, caplog):
    """Arguments of the command; an encoder, and data/{train,dev} with TEXTS."""
    monkeypatch.setattr(spoken_order, "EPOCHS", 1)
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


def test_detectors_that_hear_nothing_change_nothing(arguments, tmp_path, caplog):
    before = (tmp_path / "train" / "text").read_text()
    main([*arguments, f"{tmp_path}/dev", "--min-auc", "1.1"])
    assert "left as it is: AUC" in caplog.text
    assert "another order in" not in caplog.text
    assert (tmp_path / "train" / "text").read_text() == before


def test_detectors_are_not_checked_on_what_they_learned(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "expected a directory beside " in capsys.readouterr().err
