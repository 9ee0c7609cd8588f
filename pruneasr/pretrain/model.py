"""Masked prediction of cluster labels (HuBERT, Hsu et al. 2021, sections II-A, II-B).

Spans of the projected frames are replaced by one learned vector; a linear layer on the
last hidden state predicts the cluster of each masked frame.
Not here: the cosine logits, the loss on unmasked frames (weight 0 in HuBERT Base too)
and the feature penalty of the original.

Shapes: B batch, T samples, L frames, D model dimension.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.encoder import Encoder


class MaskedPrediction(nn.Module):
    """An encoder with its mask vector, its prediction layer and their loss."""

    def __init__(
        self,
        encoder: Encoder,
        num_clusters: int,
        mask_prob: float = 0.08,
        mask_length: int = 10,
    ) -> None:
        """Wrap an encoder.

        Args:
            encoder: trained in place.
            num_clusters: number of labels.
            mask_prob: share of frames at which a span starts (8 %, as HuBERT).
            mask_length: frames per span (10, as HuBERT).

        Raises:
            ValueError: if a number is out of range.
        """
        super().__init__()
        if not 0 < mask_prob < 1 or mask_length < 1 or num_clusters < 2:
            raise ValueError(
                "expected 0 < mask_prob < 1, mask_length >= 1 and num_clusters >= 2; "
                f"found {mask_prob}, {mask_length} and {num_clusters}"
            )
        self.encoder = encoder
        self.mask_prob = mask_prob
        self.mask_length = mask_length
        self.mask_vector = nn.Parameter(torch.rand(encoder.config.dim))
        self.head = nn.Linear(encoder.config.dim, num_clusters)

    def forward(
        self, waveforms: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and what to log.

        ``frames`` is the number of masked frames, which the loss is a mean of.

        Args:
            waveforms: (B, T).
            lengths: (B,) samples.
            labels: (B, L) cluster of each frame, any value beyond its length.
            label_lengths: (B,) frames.

        Raises:
            ValueError: if there is not one label per frame.
        """
        features, frame_lengths = self.encoder.extract_features(waveforms, lengths)
        if not torch.equal(frame_lengths, label_lengths):
            raise ValueError(
                f"expected one label per frame, {frame_lengths.tolist()}; found "
                f"{label_lengths.tolist()}. Cluster this data again"
            )
        mask = span_mask(frame_lengths, self.mask_prob, self.mask_length)
        features = torch.where(
            mask[..., None], self.mask_vector.to(features.dtype), features
        )
        hidden = self.encoder.encode(features, frame_lengths)[-1]
        logits = self.head(hidden[mask]).float()
        targets = labels[mask]
        accuracy = (logits.argmax(-1) == targets).float().mean()
        stats = {"masked_accuracy": accuracy, "frames": mask.sum().float()}
        return F.cross_entropy(logits, targets), stats


def span_mask(frame_lengths: Tensor, prob: float, span: int) -> Tensor:
    """Draw a mask (B, L) of overlapping spans, at least one per utterance."""
    batch, frames = len(frame_lengths), int(frame_lengths.max())
    position = torch.arange(frames, device=frame_lengths.device)
    draw = torch.rand(batch, frames, device=frame_lengths.device)
    last_start = (frame_lengths - span).clamp(min=0)[:, None]
    draw = draw.masked_fill(position > last_start, 1.0)
    starts = (draw < prob) | (draw == draw.amin(1, keepdim=True))
    since = torch.cummax(torch.where(starts, position, -span), dim=1).values
    return (position - since < span) & (position < frame_lengths[:, None])
