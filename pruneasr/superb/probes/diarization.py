"""SD: who speaks when, by an LSTM with one output per speaker.

Which output is which speaker is free: the loss is that of the best permutation
(permutation-invariant training, Fujita et al. 2019, *End-to-End Neural Speaker
Diarization with Permutation-Free Objectives*).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.encoder.feature_extractor import frame_mask
from pruneasr.superb.features import FeatureShape
from pruneasr.superb.probes.probe import Probe, Vocabulary
from pruneasr.superb.segments import (
    active_segments,
    format_segments,
    frame_activity,
    parse_segments,
)

THRESHOLD = 0.5
"""Probability from which a speaker counts as active."""


def permutation_free_loss(logits: Tensor, activity: Tensor, lengths: Tensor) -> Tensor:
    """Return the binary cross entropy under the best permutation of the speakers.

    Args:
        logits: (B, L, S).
        activity: (B, L, S) of 0 and 1.
        lengths: (B,) valid frames.

    Returns:
        The mean over speakers and all valid frames of the batch, as in s3prl: a long
        recording counts more than a short one.
    """
    num_speakers = logits.size(2)
    mask = frame_mask(lengths, logits.size(1))[..., None]
    losses = []
    for order in permutations(range(num_speakers)):
        loss = F.binary_cross_entropy_with_logits(
            logits, activity[..., list(order)], reduction="none"
        )
        losses.append((loss * mask).sum((1, 2)))
    return torch.stack(losses).min(0).values.sum() / (lengths.sum() * num_speakers)


def median_filter(activity: Tensor, width: int) -> Tensor:
    """Smooth (L, S) over an odd number of frames; the ends see zeros beyond."""
    padded = F.pad(activity, (0, 0, width // 2, width // 2))
    return padded.unfold(0, width, 1).median(2).values


class Diarizer(Probe):
    """Finds the turns of a fixed number of speakers."""

    def __init__(
        self,
        shape: FeatureShape,
        vocabulary: Vocabulary,
        *,
        units: int = 512,
        layers: int = 1,
        num_speakers: int = 2,
        median_frames: int = 11,
    ) -> None:
        """Build the head.

        Args:
            shape: Of the features.
            vocabulary: Empty: speakers have no names here.
            units: Of the LSTM; 512 in SUPERB.
            layers: Of the LSTM; 1 in SUPERB.
            num_speakers: In a recording; 2 in SUPERB.
            median_frames: Width of the filter that smooths decisions, odd; 11 frames
                of the encoder in SUPERB, or none, whichever is better on test.

        Raises:
            ValueError: An even width.
        """
        super().__init__(shape, vocabulary)
        if median_frames % 2 == 0:
            raise ValueError(f"expected odd median_frames, found {median_frames}")
        self.num_speakers, self.median_frames = num_speakers, median_frames
        self.lstm = nn.LSTM(shape.dim, units, layers, batch_first=True)
        self.classifier = nn.Linear(units, num_speakers)

    @staticmethod
    def learn_vocabulary(texts: Sequence[str]) -> Vocabulary:
        """Return nothing: no name is learned."""
        return []

    def loss(
        self, hidden_states: Tensor, lengths: Tensor, texts: Sequence[str]
    ) -> Tensor:
        """Return the permutation-free loss."""
        logits = self._logits(hidden_states)
        activity = [
            frame_activity(
                parse_segments(text),
                logits.size(1),
                num_speakers=self.num_speakers,
                seconds_per_frame=self.shape.seconds_per_frame,
                first_centre=self.shape.first_centre,
            )
            for text in texts
        ]
        target = torch.stack(activity).to(logits.device)
        return permutation_free_loss(logits, target, lengths)

    def predict(self, hidden_states: Tensor, lengths: Tensor) -> list[str]:
        """Return the segments of each recording."""
        active = (self._logits(hidden_states).sigmoid() > THRESHOLD).float().cpu()
        return [
            format_segments(
                active_segments(
                    median_filter(frames[:length], self.median_frames),
                    seconds_per_frame=self.shape.seconds_per_frame,
                    first_centre=self.shape.first_centre,
                )
            )
            for frames, length in zip(active, lengths.tolist(), strict=True)
        ]

    def _logits(self, hidden_states: Tensor) -> Tensor:
        # forwards only, so padding changes nothing before it
        return self.classifier(self.lstm(self.weighted_sum(hidden_states.unbind(1)))[0])
