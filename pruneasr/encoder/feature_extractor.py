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

from pruneasr.encoder.config import ConvConfig, EncoderConfig
from pruneasr.encoder.kernels import Conv1d, Dropout, Linear, gelu


class ChannelLayerNorm(nn.Module):
    """LayerNorm over the channels of every frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (B, C, L)."""
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class ConvLayer(nn.Module):
    """Convolution, norm, GELU, and an empty slot on the output channels.

    Activations (B, C, L) lie in memory frame by frame: oneDNN and cuDNN convolve that
    layout faster, and a LayerNorm over the channels reads it in order.
    """

    def __init__(
        self, in_channels: int, conv: ConvConfig, norm: nn.Module | None, bias: bool
    ) -> None:
        super().__init__()
        self.conv = Conv1d(
            in_channels, conv.channels, conv.kernel, conv.stride, bias=bias
        )
        self.norm = norm
        self.slot = nn.Identity()
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, C_in, L_in) and lengths (B,) to (B, C, L) and its lengths."""
        lengths = conv_length(lengths, self.conv.kernel_size[0], self.conv.stride[0])
        return self.slot(gelu(self.convolve(x, lengths))), lengths

    def convolve(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Convolve and normalise x (B, C_in, L_in); ``lengths`` are the output's."""
        x = self.conv(x)
        return x if self.norm is None else self.norm(x)


class NormedConvLayer(ConvLayer):
    """The first convolution of Base models with its GroupNorm, in one product.

    Each channel is normalised over the valid frames of each utterance. The convolution
    is linear and sees one channel, so the mean and variance of its output follow from
    those of the windows it slides over: with window mean m and covariance S,
    mean = w m + b and variance = w S w^T. Scaled weights then give the normalised
    output at once, without a pass over it.
    """

    def convolve(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Convolve and normalise x (B, 1, T)."""
        assert isinstance(self.norm, nn.GroupNorm)
        windows = _windows(x[:, 0], self.conv.kernel_size[0], self.conv.stride[0])
        valid = frame_mask(lengths, windows.size(1))[..., None]  # (B, L, 1)
        count = lengths[:, None, None]
        # speech has little power at high frequencies, so that w S w^T cancels: float64
        mean = (windows * valid).sum(1, keepdim=True, dtype=torch.float64) / count
        windows = (windows - mean) * valid  # (B, L, K)
        covariance = windows.transpose(1, 2) @ windows / count  # (B, K, K)
        weight = self._scaled_weight(covariance).transpose(1, 2)  # (B, K, C)
        normal = torch.baddbmm(self.norm.bias, windows.to(x.dtype), weight.to(x.dtype))
        return normal.transpose(1, 2)

    def with_statistics(self, mean: Tensor, covariance: Tensor) -> ConvLayer:
        """Return the layer with given statistics of the windows, a convolution alone.

        Args:
            mean: of the windows (K,), float64.
            covariance: of the windows (K, K), float64.
        """
        assert isinstance(self.norm, nn.GroupNorm)
        conv = self.conv
        config = ConvConfig(conv.out_channels, conv.kernel_size[0], conv.stride[0])
        layer = ConvLayer(1, config, None, bias=True).to(conv.weight)
        layer.slot = self.slot
        assert layer.conv.bias is not None
        weight = self._scaled_weight(covariance)
        layer.conv.weight = nn.Parameter(weight[:, None].to(conv.weight))
        layer.conv.bias = nn.Parameter((self.norm.bias - weight @ mean).to(conv.weight))
        return layer.train(self.training)

    def _scaled_weight(self, covariance: Tensor) -> Tensor:
        """Map covariances (..., K, K) to the weights (..., C, K) that normalise."""
        assert isinstance(self.norm, nn.GroupNorm)
        weight = self.conv.weight[:, 0]  # (C, K)
        variance = ((weight.double() @ covariance) * weight).sum(-1)  # (..., C)
        scale = self.norm.weight * (variance + self.norm.eps).rsqrt()
        return weight * scale[..., None]


class FeatureExtractor(nn.Module):
    """The stack of convolutions."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        layers = []
        channels = 1
        for i, conv in enumerate(config.conv_layers):
            layers.append(_conv_layer(config, i, channels))
            channels = conv.channels
        self.layers = nn.ModuleList(layers)
        self.channel_scale = (
            nn.Parameter(torch.ones(channels)) if config.channel_scale else None
        )

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights; also in replicas, whose weights are no parameters."""
        first = self.layers[0]
        assert isinstance(first, ConvLayer)
        return first.conv.weight.dtype

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map waveforms (B, T) and lengths (B,) to (B, L, C) and frame lengths (B,)."""
        x = waveforms[:, None]
        for layer in self.layers:
            x, lengths = layer(x, lengths)
        x = x.transpose(1, 2)
        return x if self.channel_scale is None else x * self.channel_scale, lengths


def _conv_layer(config: EncoderConfig, i: int, in_channels: int) -> ConvLayer:
    conv = config.conv_layers[i]
    if config.conv_norm == "layer_norm":
        norm = ChannelLayerNorm(conv.channels)
        return ConvLayer(in_channels, conv, norm, config.conv_bias)
    if i == 0:
        group_norm = nn.GroupNorm(conv.channels, conv.channels)
        return NormedConvLayer(in_channels, conv, group_norm, config.conv_bias)
    return ConvLayer(in_channels, conv, None, config.conv_bias)


class FeatureProjection(nn.Module):
    """LayerNorm over the channels, then the linear map to the model dimension."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        channels = config.conv_layers[-1].channels
        self.norm = nn.LayerNorm(channels)
        self.projection = Linear(channels, config.dim)
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, L, C) to (B, L, D)."""
        return self.dropout(self.projection(self.norm(x)))


def _windows(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Cut x (B, T) into what each output of a convolution sees (B, L, K)."""
    starts = torch.arange(0, x.size(1) - kernel + 1, stride, device=x.device)
    place = starts[:, None] + torch.arange(kernel, device=x.device)
    # x.unfold is a view, but cannot be exported to ONNX with a free length
    return x.index_select(1, place.flatten()).view(x.size(0), -1, kernel)


def conv_length(lengths: Tensor, kernel: int, stride: int) -> Tensor:
    """Return the number of outputs of an unpadded convolution for each length."""
    return torch.div(lengths - kernel, stride, rounding_mode="floor") + 1


def frame_mask(lengths: Tensor, num_frames: int) -> Tensor:
    """Return a boolean mask (B, num_frames), true on the first ``lengths`` frames."""
    return torch.arange(num_frames, device=lengths.device) < lengths[:, None]
