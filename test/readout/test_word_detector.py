"""Detectors of words, and CTC that begins as they are."""

import logging

import pytest
import soundfile
import torch
from espnet2.asr.ctc import CTC
from espnet2.torch_utils.load_pretrained_model import load_pretrained_model
from tiny import random_encoder
from torch import nn

from pruneasr.bin.detect_words import main
from pruneasr.data.datadir import write_table
from pruneasr.data.tokens import make_token_list
from pruneasr.encoder import save_encoder
from pruneasr.espnet.frontend import PrunedSSLFrontend
from pruneasr.espnet.tdnn_encoder import TDNNEncoder
from pruneasr.readout import word_detector
from pruneasr.readout.word_detector import (
    ABSENT,
    Heard,
    WordDetector,
    ctc_weights,
    train_detector,
)

TOKENS = ["<blank>", "<unk>", "coffee", "tea", "<sos/eos>"]


class Model(nn.Module):
    """What of ESPnet's models reads speech, under ESPnet's names."""

    def __init__(self, num_tokens, encoder):
        super().__init__()
        self.frontend = PrunedSSLFrontend(ckpt=str(encoder), arch={})
        size = self.frontend.output_size()
        self.encoder = TDNNEncoder(size)
        self.ctc = CTC(num_tokens, self.encoder.output_size())

    def forward(self, speech, lengths):
        return self.ctc.ctc_lo(self.encoder(*self.frontend(speech, lengths))[0])


@pytest.fixture
def encoder(tmp_path):
    save_encoder(random_encoder(), tmp_path / "encoder", {})
    return tmp_path / "encoder"


def test_a_score_sums_over_all_frames():
    detector = WordDetector(1, 4, ["tea"]).eval()
    states = torch.randn(1, 12, 4)
    by_hand = detector(states).exp().sum().log()
    torch.testing.assert_close(detector.presence(states)[0], by_hand)


def test_without_words_there_is_nothing_to_learn():
    with pytest.raises(ValueError, match=r"expected words in the labels of 1 utter"):
        train_detector([Heard(torch.zeros(1, 10, 4), [])], seed=0)


def test_a_word_of_all_utterances_cannot_be_told_from_silence(monkeypatch):
    monkeypatch.setattr(word_detector, "EPOCHS", 1)
    states = torch.zeros(1, 10, 4)
    utterances = [Heard(states, ["order", "tea"]), Heard(states, ["order", "milk"])]
    assert list(train_detector(utterances, seed=0).words) == ["milk", "tea"]


def test_a_model_of_espnet_says_what_the_detectors_say(encoder, tmp_path):
    model = Model(len(TOKENS), encoder).eval()
    num_states = len(model.frontend.featurizer.weights)
    dim = model.frontend.output_size()
    detector = WordDetector(num_states, dim, ["tea", "coffee"]).eval()
    nn.init.normal_(detector.weighted_sum.weights)
    torch.save(ctc_weights(detector, TOKENS), tmp_path / "words.pth")
    load_pretrained_model(f"{tmp_path}/words.pth", model, ignore_init_mismatch=False)
    speech = torch.randn(1, 8000)
    with torch.no_grad():
        logits = model(speech, torch.tensor([8000]))[0].T
        states = torch.cat(model.frontend.upstream(speech)[0])
        expected = detector(states)
    torch.testing.assert_close(logits[[3, 2]], expected, atol=1e-5, rtol=1e-4)
    assert (logits[0] == 0).all()
    assert (logits[[1, 4]] == ABSENT).all()


def test_a_word_that_is_no_token_is_refused():
    detector = WordDetector(1, 4, ["tea", "milk"])
    with pytest.raises(ValueError, match=r"it lacks 1: \['milk'\]\. Use token_type"):
        ctc_weights(detector, TOKENS)


def test_command_line(encoder, tmp_path, monkeypatch, caplog, capsys):
    monkeypatch.setattr(word_detector, "EPOCHS", 2)
    caplog.set_level(logging.INFO)
    data = tmp_path / "data"
    data.mkdir()
    texts = {"a": "order drink:tea", "b": "order drink:coffee"}
    for key in texts:
        soundfile.write(tmp_path / f"{key}.wav", torch.randn(8000).numpy() / 10, 16000)
    write_table(data / "wav.scp", {key: f"{tmp_path}/{key}.wav" for key in texts})
    write_table(data / "text", texts)
    tokens = make_token_list(
        data / "text", tmp_path / "tokens", token_type="word", nbpe=0
    )
    arguments = ["--encoder", f"{encoder}", "--train", f"{data}"]
    arguments += ["--valid", f"{data}", "--output", f"{tmp_path}/words.pth", "--tokens"]
    main([*arguments, f"{tmp_path}/tokens"])
    assert "epoch 2/2: loss" in caplog.text
    assert f"{data}: words are detected with AUC" in caplog.text
    weights = torch.load(tmp_path / "words.pth")
    assert weights["ctc.ctc_lo.bias"].shape == (len(tokens),)
    with pytest.raises(SystemExit):
        main([*arguments, f"{tmp_path}/none"])
    assert "tokens.txt, found none; make it with" in capsys.readouterr().err
    write_table(data / "text", texts | {"c": texts["a"]})
    with pytest.raises(SystemExit):
        main([*arguments, f"{tmp_path}/tokens"])
    assert "in wav.scp and text, found 1 in one" in capsys.readouterr().err
