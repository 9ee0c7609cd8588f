"""Seven convolutions that turn 16 kHz samples into 50 frames a second.

Follows wav2vec 2.0 (Baevski et al. 2020, section 2) in both published variants: a
GroupNorm after the first convolution (Base), or a LayerNorm after every one (Large).
GroupNorm takes its statistics over the valid frames of each utterance only, so that an
utterance gives the same result alone and in a padded batch.

Shapes: B batch, T samples, L frames, C channels, D model dimension.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.encoder.config import ConvConfig, EncoderConfig


class UtteranceGroupNorm(nn.Module):
    """GroupNorm with one group per channel, over the valid frames of each utterance."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = 1e-5  # as in all published models

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Normalise x (B, C, L) over its first ``lengths`` (B,) frames."""
        x = x.float()  # statistics over thousands of frames need more than bfloat16
        if bool((lengths == x.size(-1)).all()):
            return F.group_norm(x, x.size(1), self.weight, self.bias, self.eps)
        valid = frame_mask(lengths, x.size(-1))[:, None]  # (B, 1, L)
        count = lengths[:, None, None]
        mean = (x * valid).sum(-1, keepdim=True) / count
        variance = ((x - mean).square() * valid).sum(-1, keepdim=True) / count
        scale = self.weight[:, None] * (variance + self.eps).rsqrt()  # (B, C, 1)
        return (x - mean) * scale + self.bias[:, None]


class ChannelLayerNorm(nn.Module):
    """LayerNorm over the channels of every frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Normalise x (B, C, L); frames do not mix, so ``lengths`` is not used."""
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class ConvLayer(nn.Module):
    """Convolution, norm, GELU, and an empty slot on the output channels."""

    def __init__(
        self, in_channels: int, conv: ConvConfig, norm: nn.Module | None, bias: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            in_channels, conv.channels, conv.kernel, conv.stride, bias=bias
        )
        self.norm = norm
        self.slot = nn.Identity()
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, C_in, L_in) and lengths (B,) to (B, C, L) and its lengths."""
        x = self.conv(x)
        lengths = conv_length(lengths, self.conv.kernel_size[0], self.conv.stride[0])
        if self.norm is not None:
            x = self.norm(x, lengths)
        return self.slot(F.gelu(x)), lengths


class FeatureExtractor(nn.Module):
    """The stack of convolutions."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        layers = []
        channels = 1
        for i, conv in enumerate(config.conv_layers):
            norm: nn.Module | None = None
            if config.conv_norm == "layer_norm":
                norm = ChannelLayerNorm(conv.channels)
            elif i == 0:
                norm = UtteranceGroupNorm(conv.channels)
            layers.append(ConvLayer(channels, conv, norm, config.conv_bias))
            channels = conv.channels
        self.layers = nn.ModuleList(layers)
        self.channel_scale = (
            nn.Parameter(torch.ones(channels)) if config.channel_scale else None
        )

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map waveforms (B, T) and lengths (B,) to (B, L, C) and frame lengths (B,)."""
        x = waveforms[:, None]
        for layer in self.layers:
            x, lengths = layer(x, lengths)
        x = x.transpose(1, 2)
        return x if self.channel_scale is None else x * self.channel_scale, lengths


class FeatureProjection(nn.Module):
    """LayerNorm over the channels, then the linear map to the model dimension."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        channels = config.conv_layers[-1].channels
        self.norm = nn.LayerNorm(channels)
        self.projection = nn.Linear(channels, config.dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, L, C) to (B, L, D)."""
        return self.dropout(self.projection(self.norm(x)))


def conv_length(lengths: Tensor, kernel: int, stride: int) -> Tensor:
    """Return the number of outputs of an unpadded convolution for each length."""
    return torch.div(lengths - kernel, stride, rounding_mode="floor") + 1


def frame_mask(lengths: Tensor, num_frames: int) -> Tensor:
    """Return a boolean mask (B, num_frames), true on the first ``lengths`` frames."""
    return torch.arange(num_frames, device=lengths.device) < lengths[:, None]
