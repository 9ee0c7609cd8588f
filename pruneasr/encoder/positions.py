"""Where a frame is: the convolutional embedding and WavLM's relative position bias.

The convolution is that of wav2vec 2.0 (one layer) or data2vec (several, each with a
LayerNorm). Published models keep its weight as magnitude times direction (weight norm);
here it is one plain tensor, which computes the same function.
The relative position bias (Chen et al. 2022, section III-A) belongs to the encoder, not
to block 0, so that it survives whatever happens to block 0.

Shapes: B batch, L frames, D model dimension, H heads.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.encoder.config import EncoderConfig
from pruneasr.encoder.kernels import Conv1d, gelu


class PositionalConv(nn.Module):
    """Adds a convolution of the frames to the frames."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        kernel = config.pos_conv_kernel
        dim = config.dim
        convs = [
            Conv1d(dim, dim, kernel, groups=config.pos_conv_groups)
            for _ in range(config.pos_conv_layers)
        ]
        self.convs = nn.ModuleList(convs)
        self.dim = dim
        self.padding = (kernel // 2, (kernel - 1) // 2)  # as many frames out as in
        # data2vec (Baevski et al. 2022) normalises between its layers
        self.normalize = config.pos_conv_layers > 1
        for conv in convs:
            std = math.sqrt(4.0 / (kernel * dim))  # wav2vec 2.0's initial value
            nn.init.normal_(conv.weight, std=std)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """Return x (B, L, D) plus its position embedding.

        ``valid`` (B, L, 1) is 1 on real frames; None where all are. Padded frames must
        come in as zeros and are kept at zero between the layers.
        """
        y = x
        for conv in self.convs:
            y = conv(F.pad(y, (0, 0, *self.padding)).transpose(1, 2))
            y = y.transpose(1, 2)
            if self.normalize:
                # a number, not a size of y, so that it can be traced
                y = F.layer_norm(y, (self.dim,))
            y = gelu(y)
            if valid is not None:
                y = y * valid
        return x + y


class RelativePositionBias(nn.Module):
    """A learned bias for every distance between two frames, one per head (T5's)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.max_distance = config.relative_max_distance
        self.embedding = nn.Embedding(config.relative_buckets, config.num_heads)

    def forward(self, num_frames: int) -> Tensor:
        """Return the bias (H, L, L); entry (h, i, j) is for query i and key j."""
        device = self.embedding.weight.device
        frames = torch.arange(num_frames, device=device)
        distances = torch.arange(1 - num_frames, num_frames, device=device)
        bias = self.embedding(self._bucket(distances)).t()  # (H, 2L - 1)
        place = frames[None] - frames[:, None] + num_frames - 1
        # several times faster than bias[:, place]
        bias = bias.index_select(1, place.flatten())
        return bias.view(-1, num_frames, num_frames)

    def _bucket(self, distance: Tensor) -> Tensor:
        """Map key-minus-query distances to buckets: exact if near, else logarithmic."""
        half = self.embedding.num_embeddings // 2
        exact = half // 2
        magnitude = distance.abs()
        far = exact + (
            torch.log(magnitude.clamp(min=1).float() / exact)
            / math.log(self.max_distance / exact)
            * (half - exact)
        ).long().clamp(max=half - 1 - exact)
        near_or_far = torch.where(magnitude < exact, magnitude, far)
        return near_or_far + half * (distance > 0)


class RelativePositionGate(nn.Module):
    """Scales the relative position bias by what each head sees (gated, as in WavLM)."""

    head_indices: Tensor

    def __init__(self, config: EncoderConfig, head_indices: list[int]) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        # Eight outputs summed by fours, as published; two would do.
        self.linear = nn.Linear(config.head_dim, 8)
        self.constant = nn.Parameter(torch.ones(len(head_indices)))
        self.register_buffer(
            "head_indices", torch.tensor(head_indices), persistent=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map the input of the attention x (B, L, D) to factors (B, h, L, 1).

        Head i reads the i-th slice of D / H dimensions, living heads h only.
        """
        slices = x.unflatten(-1, (self.num_heads, -1))[:, :, self.head_indices]
        weight = self.linear.weight.unflatten(0, (2, 4)).sum(1)
        bias = self.linear.bias.unflatten(0, (2, 4)).sum(1)
        a, b = F.linear(slices, weight, bias).sigmoid().unbind(-1)  # (B, L, h) each
        factor = a * (b * self.constant - 1.0) + 2.0
        return factor.transpose(1, 2)[..., None]
