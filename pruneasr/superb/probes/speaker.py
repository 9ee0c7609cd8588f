"""SV: x-vector (Snyder et al. 2018) under additive-margin softmax (Wang et al. 2018).

    projection -> five TDNN layers -> mean and standard deviation -> two linear layers

The embedding is what leaves the first of the two. Trials are scored by the cosine.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.encoder.feature_extractor import frame_mask
from pruneasr.superb.features import FeatureShape
from pruneasr.superb.probes.probe import Probe, Vocabulary, position

CONTEXTS = ((5, 1), (3, 2), (3, 3), (1, 1), (1, 1))
"""Kernel and dilation of the TDNN layers."""

LOST_FRAMES = sum((kernel - 1) * dilation for kernel, dilation in CONTEXTS)
MIN_STD = 1e-4
"""Keeps the gradient of the standard deviation finite where frames are equal."""


def am_softmax_loss(
    cosine: Tensor, speakers: Tensor, *, scale: float, margin: float
) -> Tensor:
    """Return the additive-margin softmax loss (Wang et al. 2018, Eq. 6).

    Args:
        cosine: (B, speakers) of embeddings and speakers.
        speakers: (B,) who speaks.
        scale: s.
        margin: m, taken from the cosine of the right speaker.
    """
    right = F.one_hot(speakers, cosine.size(1))
    return F.cross_entropy(scale * (cosine - margin * right), speakers)


class XVector(Probe):
    """Embeds speakers; a prediction is the embedding as a line of numbers."""

    one_label = True
    min_frames = LOST_FRAMES + 2  # one frame has no standard deviation

    def __init__(
        self,
        shape: FeatureShape,
        vocabulary: Vocabulary,
        *,
        units: int = 512,
        pooled_units: int = 1500,
        scale: float = 30.0,
        margin: float = 0.4,
    ) -> None:
        """Build the head.

        Args:
            shape: Of the features.
            vocabulary: The training speakers.
            units: Of all layers but one; 512 in SUPERB.
            pooled_units: Of the layer before pooling; 1500 in SUPERB.
            scale: Of the loss; 30 in SUPERB.
            margin: Of the loss; 0.4 in SUPERB.
        """
        super().__init__(shape, vocabulary)
        self.scale, self.margin = scale, margin
        self.projection = nn.Linear(shape.dim, units)
        widths = [units] * len(CONTEXTS) + [pooled_units]
        self.tdnn = nn.ModuleList(
            nn.Conv1d(widths[i], widths[i + 1], kernel, dilation=dilation)
            for i, (kernel, dilation) in enumerate(CONTEXTS)
        )
        self.embedding = nn.Linear(2 * pooled_units, units)
        self.output = nn.Linear(units, units)
        self.speakers = nn.Parameter(torch.empty(len(vocabulary[0]), units))
        nn.init.xavier_normal_(self.speakers)

    @staticmethod
    def learn_vocabulary(texts: Sequence[str]) -> Vocabulary:
        """Return the speakers."""
        return [sorted(set(texts))]

    def embed(self, hidden_states: Tensor, lengths: Tensor) -> Tensor:
        """Return the embeddings (B, units).

        Raises:
            ValueError: An utterance is shorter than the context.
        """
        self.check(lengths)
        x = self.projection(self.weighted_sum(hidden_states.unbind(1))).transpose(1, 2)
        for layer in self.tdnn:
            x = layer(x).relu()
        count = (lengths - LOST_FRAMES)[:, None]
        mask = frame_mask(count[:, 0], x.size(2))[:, None]
        mean = (x * mask).sum(2) / count
        squares = ((x - mean[..., None]) * mask).square().sum(2)
        std = (squares / (count - 1)).clamp_min(MIN_STD**2).sqrt()
        return self.embedding(torch.cat([mean, std], dim=1)).relu()

    def loss(
        self, hidden_states: Tensor, lengths: Tensor, texts: Sequence[str]
    ) -> Tensor:
        """Return the additive-margin softmax loss."""
        x = self.output(self.embed(hidden_states, lengths)).relu()
        cosine = F.normalize(x) @ F.normalize(self.speakers).T
        speakers = [position(self.vocabulary[0], text) for text in texts]
        return am_softmax_loss(
            cosine,
            torch.tensor(speakers, device=cosine.device),
            scale=self.scale,
            margin=self.margin,
        )

    def predict(self, hidden_states: Tensor, lengths: Tensor) -> list[str]:
        """Return the embeddings, scaled to length 1, five digits each."""
        vectors = F.normalize(self.embed(hidden_states, lengths)).tolist()
        return [" ".join(f"{value:.5g}" for value in vector) for vector in vectors]
