"""Spans, labels and loss of masked pre-training."""

import numpy as np
import pytest
import soundfile
import torch
from tiny import random_encoder, waveforms

from pruneasr.pretrain.labels import (
    fit_clusters,
    hidden_features,
    mfcc_features,
    write_labels,
)
from pruneasr.pretrain.model import MaskedPrediction, span_mask


def test_spans_stay_within_the_utterance_and_have_their_length():
    torch.manual_seed(0)
    lengths = torch.tensor([200, 50, 7])
    mask = span_mask(lengths, 0.05, 10)
    for row, length in zip(mask, lengths, strict=True):
        assert not row[length:].any()
        assert row.any()
    changes = torch.diff(mask[0].int(), prepend=torch.zeros(1, dtype=torch.int))
    starts = (changes == 1).nonzero().flatten()
    assert all(mask[0, start : start + 10].all() for start in starts)


def test_share_of_masked_frames_is_as_expected():
    torch.manual_seed(0)
    mask = span_mask(torch.full((64,), 500), 0.08, 10)
    # a frame stays visible if none of 10 starts hits: 0.92^10 = 43 %
    assert mask.float().mean().item() == pytest.approx(1 - 0.92**10, abs=0.02)


def test_loss_is_the_cross_entropy_of_masked_frames_only():
    torch.manual_seed(0)
    model = MaskedPrediction(random_encoder(), 5).train()
    speech, lengths = waveforms()
    frames = model.encoder.frame_lengths(lengths)
    labels = torch.randint(0, 5, (3, int(frames.max())))
    torch.manual_seed(1)
    loss, stats = model(speech, lengths, labels, frames)
    torch.manual_seed(1)
    mask = span_mask(frames, model.mask_prob, model.mask_length)
    labels[~mask] = -1  # would be an error if it were read
    torch.manual_seed(1)
    assert torch.equal(model(speech, lengths, labels, frames)[0], loss)
    features, _ = model.encoder.extract_features(speech, lengths)
    features[mask] = model.mask_vector
    logits = model.head(model.encoder.encode(features, frames)[-1])[mask]
    of_labels = logits.exp()[torch.arange(len(logits)), labels[mask]]
    expected = -(of_labels / logits.exp().sum(-1)).log().mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    right = (logits.argmax(-1) == labels[mask]).sum().item()
    assert stats["masked_accuracy"].item() == pytest.approx(right / len(logits))
    assert stats["frames"] == len(logits)
    loss.backward()
    assert model.mask_vector.grad.abs().sum() > 0


def test_labels_must_match_the_frames():
    model = MaskedPrediction(random_encoder(), 5)
    speech, lengths = waveforms()
    wrong = model.encoder.frame_lengths(lengths) - 1
    with pytest.raises(ValueError, match="one label per frame"):
        model(speech, lengths, torch.zeros(3, 11, dtype=torch.long), wrong)


@pytest.mark.parametrize("options", [{"mask_prob": 0.0}, {"mask_length": 0}])
def test_bad_options(options):
    with pytest.raises(ValueError, match="mask_prob"):
        MaskedPrediction(random_encoder(), 5, **options)


@pytest.fixture
def wav_scp(tmp_path):
    generator = np.random.default_rng(0)
    lines = []
    for i in range(3):
        path = tmp_path / f"{i}.wav"
        noise = generator.normal(size=8000 + 321 * i) * 0.1
        soundfile.write(path, noise.astype(np.float32), 16000)
        lines.append(f"utt{i} {path}")
    (tmp_path / "wav.scp").write_text("\n".join(lines) + "\n")
    return tmp_path / "wav.scp"


@pytest.mark.parametrize("source", ["mfcc", "hidden"])
def test_there_is_one_label_for_every_frame(wav_scp, source):
    encoder = random_encoder()
    features = (
        mfcc_features(encoder.config)
        if source == "mfcc"
        else hidden_features(encoder, 2)
    )
    kmeans = fit_clusters(wav_scp, features, 4, 1000, seed=0)
    output = wav_scp.parent / "labels"
    write_labels(wav_scp, features, kmeans, output)
    lines = [line.split() for line in output.read_text().splitlines()]
    assert [line[0] for line in lines] == ["utt0", "utt1", "utt2"]
    frames = encoder.frame_lengths(torch.tensor([8000, 8321, 8642])).tolist()
    assert [len(line) - 1 for line in lines] == frames
    assert {label for line in lines for label in line[1:]} <= set("0123")


def test_mfccs_do_not_know_the_level():
    """The encoder normalises it away, so a label that needs it could not be learned."""
    noise = 0.1 * torch.randn(8000, generator=torch.Generator().manual_seed(0))
    features = mfcc_features(random_encoder().config)
    torch.testing.assert_close(
        features(0.5 * noise), features(noise), atol=1e-2, rtol=0
    )


def test_loudness_is_not_most_of_a_distance():
    noise = 0.05 * torch.randn(80000, generator=torch.Generator().manual_seed(0))
    decibels = 10 * torch.sin(2 * torch.pi * 3 * torch.arange(80000) / 16000)
    waveform = noise * 10 ** (decibels / 20)
    variance = mfcc_features(random_encoder().config)(waveform)[:, :13].var(0)
    # 0.93 with neither lifter nor mean subtracted
    assert float(variance[0] / variance.sum()) < 0.25


def test_labels_are_reproducible(wav_scp):
    features = mfcc_features(random_encoder().config)
    outputs = []
    for name in ("a", "b"):
        kmeans = fit_clusters(wav_scp, features, 4, 1000, seed=3)
        write_labels(wav_scp, features, kmeans, wav_scp.parent / name)
        outputs.append((wav_scp.parent / name).read_text())
    assert outputs[0] == outputs[1]


def test_too_few_frames_and_unknown_layers_are_refused(wav_scp):
    encoder = random_encoder()
    with pytest.raises(ValueError, match="at least 500 frames"):
        fit_clusters(wav_scp, mfcc_features(encoder.config), 500, 1000, seed=0)
    with pytest.raises(ValueError, match="from 0 to 3"):
        hidden_features(encoder, 4)
