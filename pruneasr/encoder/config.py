"""The architecture of an encoder as plain data, dense and pruned alike.

Every width is written out: channels of each convolution, the query-key and value-output
width of each head, the width of each feed-forward layer. The dense model is the case in
which all widths are equal. The config says nothing of how the widths came about.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pruneasr.encoder.fields import build, build_all, check_types, objects, require

FAMILIES = ("wavlm", "hubert", "wav2vec2", "data2vec")
CONV_NORMS = ("group_norm", "layer_norm")

# Kernel and stride of the seven convolutions, equal in all four families
# (wav2vec 2.0, Baevski et al. 2020, section 4.2): 320 samples per frame, 400 seen.
CONV_KERNELS = (10, 3, 3, 3, 3, 2, 2)
CONV_STRIDES = (5, 2, 2, 2, 2, 2, 2)


@dataclasses.dataclass(frozen=True)
class ConvConfig:
    """One convolution of the feature extractor."""

    channels: int
    kernel: int
    stride: int

    def __post_init__(self) -> None:
        check_types(self)
        found = (self.channels, self.kernel, self.stride)
        require(min(found) > 0, "conv_layers", "of numbers above 0", found)


@dataclasses.dataclass(frozen=True)
class HeadConfig:
    """One living attention head.

    ``index`` is its place among the heads of the dense block: it selects the column of
    the relative position bias and the slice of the input that gates it.
    """

    index: int
    qk: int
    vo: int

    def __post_init__(self) -> None:
        check_types(self)


@dataclasses.dataclass(frozen=True)
class BlockConfig:
    """One Transformer block.

    ``attention=False`` means the branch is absent, its output bias included; a branch
    that is present without heads (``heads=()``) still adds its output bias. The same
    holds for ``feed_forward`` and ``ffn=0``.
    """

    attention: bool
    heads: tuple[HeadConfig, ...]
    feed_forward: bool
    ffn: int

    def __post_init__(self) -> None:
        check_types(self)
        indices = [head.index for head in self.heads]
        if indices != sorted(set(indices)):
            raise ValueError(
                "heads of a block must have ascending, distinct indices; found "
                f"{indices}"
            )
        if self.heads and not self.attention:
            raise ValueError("a block without attention cannot have heads")
        if self.ffn and not self.feed_forward:
            raise ValueError("a block without feed_forward cannot have an ffn width")
        if any(head.vo < 1 or head.qk < 0 for head in self.heads) or self.ffn < 0:
            raise ValueError(
                "head widths must be vo >= 1 and qk >= 0, and ffn >= 0; found "
                f"{self.heads}, ffn={self.ffn}"
            )


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Everything needed to build an :class:`~pruneasr.encoder.model.Encoder`.

    Attributes:
        family: one of ``wavlm``, ``hubert``, ``wav2vec2``, ``data2vec``.
        conv_layers: the feature extractor, first to last.
        conv_norm: ``group_norm`` (first convolution only, Base) or ``layer_norm``
            (every convolution, Large).
        conv_bias: whether the convolutions have a bias.
        channel_scale: whether the last convolution's output is scaled per channel. A
            LayerNorm follows, so such a factor cannot be folded into any weight.
        dim: model dimension D.
        num_heads: heads of the dense block; ``dim / num_heads`` is the dense head width
            and fixes the attention scale whatever is left of a head.
        blocks: the Transformer blocks, first to last.
        norm_first: pre-norm (Large) instead of post-norm (Base).
        pos_conv_kernel, pos_conv_groups, pos_conv_layers: the convolutional position
            embedding; more than one layer in data2vec.
        relative_buckets, relative_max_distance: the relative position bias of WavLM;
            0 buckets in the other families.
        normalize_waveform: zero mean and unit variance per utterance (Large).
        dropout: one rate for hidden states, attention weights and activations.
    """

    family: str
    conv_layers: tuple[ConvConfig, ...]
    dim: int
    num_heads: int
    blocks: tuple[BlockConfig, ...]
    conv_norm: str = "group_norm"
    conv_bias: bool = False
    channel_scale: bool = False
    norm_first: bool = False
    pos_conv_kernel: int = 128
    pos_conv_groups: int = 16
    pos_conv_layers: int = 1
    relative_buckets: int = 0
    relative_max_distance: int = 0
    normalize_waveform: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_types(self)
        require(self.family in FAMILIES, "family", FAMILIES, self.family)
        require(self.conv_norm in CONV_NORMS, "conv_norm", CONV_NORMS, self.conv_norm)
        require(
            self.dim > 0 and self.num_heads > 0 and self.dim % self.num_heads == 0,
            "num_heads",
            f"a divisor of dim={self.dim}",
            self.num_heads,
        )
        require(
            self.pos_conv_groups > 0 and self.dim % self.pos_conv_groups == 0,
            "pos_conv_groups",
            f"a divisor of dim={self.dim}",
            self.pos_conv_groups,
        )
        require(
            self.relative_buckets == 0
            or 4 <= self.relative_buckets < 4 * self.relative_max_distance,
            "relative_buckets",
            f"0, or 4 to below 4 relative_max_distance={self.relative_max_distance}",
            self.relative_buckets,
        )
        require(len(self.conv_layers) > 0, "conv_layers", "at least one", 0)
        require(
            min(self.pos_conv_kernel, self.pos_conv_layers) > 0,
            "pos_conv_kernel and pos_conv_layers",
            "above 0",
            (self.pos_conv_kernel, self.pos_conv_layers),
        )
        require(0 <= self.dropout < 1, "dropout", "from 0 to below 1", self.dropout)
        for block in self.blocks:
            for head in block.heads:
                require(
                    0 <= head.index < self.num_heads
                    and max(head.qk, head.vo) <= self.head_dim,
                    "head",
                    f"index < {self.num_heads} and widths <= {self.head_dim}",
                    head,
                )

    @property
    def head_dim(self) -> int:
        """Width of a head of the dense model."""
        return self.dim // self.num_heads

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        hop = 1
        for conv in self.conv_layers:
            hop *= conv.stride
        return hop

    @property
    def receptive_field(self) -> int:
        """Samples seen by one frame, hence the shortest admissible waveform."""
        samples = 1
        for conv in reversed(self.conv_layers):
            samples = (samples - 1) * conv.stride + conv.kernel
        return samples

    def to_dict(self) -> dict[str, Any]:
        """Return the config as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EncoderConfig:
        """Build a config from JSON types.

        Raises:
            ValueError: if a key is unknown or missing, or a value is out of range or of
                another type.
        """
        values = build_all("conv_layers", ConvConfig, values)
        if "blocks" in values:
            blocks = objects("blocks", values)
            blocks = [build_all("heads", HeadConfig, block) for block in blocks]
            values = build_all("blocks", BlockConfig, {**values, "blocks": blocks})
        config: EncoderConfig = build(cls, values)
        return config


def dense_config(
    family: str = "wavlm",
    *,
    dim: int = 768,
    num_heads: int = 12,
    ffn: int = 3072,
    num_blocks: int = 12,
    conv_channels: tuple[int, ...] = (512,) * 7,
    **options: Any,
) -> EncoderConfig:
    """Return the config of a dense encoder; the defaults are WavLM Base.

    Args:
        family: see :class:`EncoderConfig`.
        dim: model dimension.
        num_heads: heads per block, each ``dim / num_heads`` wide.
        ffn: feed-forward width.
        num_blocks: number of Transformer blocks.
        conv_channels: channels of the seven convolutions.
        **options: further fields of :class:`EncoderConfig`.

    Raises:
        ValueError: if a value is out of range, the number of channels is not seven, or
            an option is unknown.
    """
    require(
        len(conv_channels) == len(CONV_KERNELS),
        "conv_channels",
        f"{len(CONV_KERNELS)} values",
        conv_channels,
    )
    if family == "wavlm":  # Chen et al. 2022, section III-A: 320 buckets up to 800
        options = {"relative_buckets": 320, "relative_max_distance": 800, **options}
    values = dict(
        family=family,
        conv_layers=tuple(
            ConvConfig(*conv)
            for conv in zip(conv_channels, CONV_KERNELS, CONV_STRIDES, strict=True)
        ),
        dim=dim,
        num_heads=num_heads,
        blocks=dense_blocks(dim, num_heads, ffn, num_blocks),
        **options,
    )
    config: EncoderConfig = build(EncoderConfig, values)
    return config


def dense_blocks(
    dim: int, num_heads: int, ffn: int, num_blocks: int
) -> tuple[BlockConfig, ...]:
    """Return the blocks of a dense encoder; arguments as in :func:`dense_config`."""
    width = dim // max(1, num_heads)  # EncoderConfig says what is wrong with 0
    heads = tuple(HeadConfig(i, width, width) for i in range(num_heads))
    return (BlockConfig(True, heads, True, ffn),) * num_blocks
