"""What quantisation to 8-bit integers costs in accuracy: a small test.

The same audio goes through an encoder in float32 and through ONNX Runtime's int8
version of it. Compared are the hidden states and, where speakers are known, what a
linear classifier reads from them: who speaks, from the mean over the frames of each
hidden state. It is fitted on float32, as a model that was fine-tuned before its encoder
was quantised, on every second utterance of each speaker, and tested on the others.

Random weights say little: a trained encoder has larger outliers, which eight bits round
worse. A trained one and real speech say more; word error rates say most.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import runner
from pruneasr.bench.timing import read_audio
from pruneasr.data.datadir import read_table
from pruneasr.encoder import Encoder, load_encoder

# Ridge of the classifier, times the mean diagonal of the kernel: it only keeps fewer
# utterances than dimensions solvable
RIDGE = 0.01


@dataclasses.dataclass(frozen=True)
class QuantizationLoss:
    """What int8 changes.

    Attributes:
        what: encoder and audio.
        last_error: norm of the difference by that of the last hidden state, all frames.
        largest_error: the same of the hidden state that changes most.
        cosine: mean over the frames of the last hidden state.
        accuracy: share of the tested utterances whose speaker the classifier finds, in
            float32 and int8; None without speakers.
    """

    what: str
    utterances: int
    audio_sec: float
    last_error: float
    largest_error: float
    cosine: float
    speakers: int
    tested: int
    accuracy: tuple[float, float] | None

    def __str__(self) -> str:
        text = (
            f"{self.what}, {self.utterances} utterances, {self.audio_sec:.0f} s. "
            "onnx-int8 against eager float32: relative error of the last hidden state "
            f"{self.last_error:.3f} (largest of all layers {self.largest_error:.3f}), "
            f"cosine of its frames {self.cosine:.4f}."
        )
        if self.accuracy is None:
            return f"{text} Random weights say little; nothing reads from them."
        plain, quantised = (f"{100 * share:.1f} %" for share in self.accuracy)
        return (
            f"{text} Linear classifier of {self.speakers} speakers, {self.tested} "
            f"utterances tested: {plain} in float32, {quantised} in int8."
        )


def loss_on_data(encoder_dir: Path, data: Path) -> QuantizationLoss:
    """Test a trained encoder on the speech and speakers of a Kaldi directory."""
    speaker_of = read_table(data / "utt2spk")
    speakers = [speaker_of[name] for name in read_table(data / "wav.scp")]
    audio = read_audio(data / "wav.scp")
    what = f"{encoder_dir}, trained, on {data}"
    return quantization_loss(what, load_encoder(encoder_dir).eval(), audio, speakers)


def loss_on_noise(encoder: Encoder, name: str) -> QuantizationLoss:
    """Test an encoder with random weights on synthetic noise."""
    what = f"{name}, random weights, on synthetic noise with the rhythm of speech"
    return quantization_loss(what, encoder, synthetic_audio())


def quantization_loss(
    what: str,
    encoder: Encoder,
    audio: Sequence[Tensor],
    speakers: Sequence[str] | None = None,
) -> QuantizationLoss:
    """Compare an encoder with its int8 version.

    Args:
        what: names encoder and audio.
        encoder: in evaluation mode.
        audio: utterances (T,) at 16 kHz.
        speakers: of each utterance; None for no classifier.
    """
    plain = runner(encoder, "eager")
    int8 = runner(encoder, "onnx-int8")
    differences, norms, cosines = [], [], []
    means: tuple[list[Tensor], list[Tensor]] = ([], [])
    for waveform in audio:
        exact = _stacked(plain(waveform[None]))
        found = _stacked(int8(waveform[None]))
        differences.append((found - exact).square().sum((1, 2)))
        norms.append(exact.square().sum((1, 2)))
        cosines.append(F.cosine_similarity(found[-1], exact[-1], dim=-1))
        means[0].append(exact.mean(1).flatten())
        means[1].append(found.mean(1).flatten())
    errors = (sum(differences) / sum(norms)).sqrt()  # type: ignore[union-attr]
    tested, accuracy = 0, None
    if speakers is not None:
        features = torch.stack(means[0]), torch.stack(means[1])
        tested, accuracy = _speaker_accuracy(*features, speakers)
    return QuantizationLoss(
        what=what,
        utterances=len(audio),
        audio_sec=sum(map(len, audio)) / SAMPLE_RATE,
        last_error=float(errors[-1]),
        largest_error=float(errors.max()),
        cosine=float(torch.cat(cosines).mean()),
        speakers=len(set(speakers or ())),
        tested=tested,
        accuracy=accuracy,
    )


def synthetic_audio(utterances: int = 4, seconds: float = 8.0) -> list[Tensor]:
    """Return synthetic noise with the tilt and the rhythm of speech.

    Speech loses about 6 dB per octave, and its loudness varies four times a second.
    """
    generator = torch.Generator().manual_seed(0)
    samples = round(seconds * SAMPLE_RATE)
    noise = torch.randn(utterances, samples, generator=generator)
    frequency = torch.fft.rfftfreq(samples, 1 / SAMPLE_RATE).clamp(min=100.0)
    tilted = torch.fft.irfft(torch.fft.rfft(noise) / frequency, samples)
    time = torch.arange(samples) / SAMPLE_RATE
    loudness = (2 * torch.pi * 4 * time).cos().add(1.1) / tilted.std(1, keepdim=True)
    return list(0.05 * loudness * tilted)


def _stacked(output: Any) -> Tensor:
    """Return the hidden states (N + 1, L, D) of one utterance from either backend."""
    states = output[0]
    stacked = torch.stack(states) if isinstance(states, list) else torch.tensor(states)
    return stacked[:, 0]


def _speaker_accuracy(
    plain: Tensor, int8: Tensor, speakers: Sequence[str]
) -> tuple[int, tuple[float, float]]:
    """Return how many utterances (N, dimensions) were tested, and the accuracies."""
    names = sorted(set(speakers))
    labels = torch.tensor([names.index(speaker) for speaker in speakers])
    seen = [list(speakers[:i]).count(speaker) for i, speaker in enumerate(speakers)]
    fit = torch.tensor(seen) % 2 == 0
    mean, deviation = plain[fit].mean(0), plain[fit].std(0).clamp(min=1e-6)
    known = (plain[fit] - mean) / deviation
    kernel = known @ known.t()
    kernel += RIDGE * kernel.diagonal().mean() * torch.eye(len(kernel))
    targets = F.one_hot(labels[fit], len(names)).float()
    weights = torch.linalg.solve(kernel, targets - targets.mean(0))

    def accuracy(features: Tensor) -> float:
        scores = (features[~fit] - mean) / deviation @ known.t() @ weights
        scores += targets.mean(0)
        return float((scores.argmax(1) == labels[~fit]).float().mean())

    return int((~fit).sum()), (accuracy(plain), accuracy(int8))
