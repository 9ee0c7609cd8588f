"""Architectures whose widths are uneven as learned gates leave them.

Speed depends on the shape, not on the weights, so it can be measured before a training.
Gates agree neither between layers nor between the heads of one: densities are drawn
log-normal per layer and per head, some branches and heads are gone, and one factor
common to all widths brings the cost to its target. What the draws imitate is the table
"What is left of the teacher" in egs/an4/asr1/RESULTS.md: there the widths of heads have
a coefficient of variation of 0.4, those of layers of 0.3, 2 of 12 branches are gone,
and values outnumber queries by two to one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch

from pruneasr.encoder import BlockConfig, EncoderConfig, HeadConfig, dense_config
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.widths import config_widths

# Standard deviations of the logarithm of the density
LAYER_SPREAD = 0.3
HEAD_SPREAD = 0.4
VALUES_PER_QUERY = 2.0


@dataclasses.dataclass(frozen=True)
class Shape:
    """What to draw.

    Attributes:
        mha_ffn: share of the dense model's attention and feed-forward parameters left.
        macs: share of the MACs at 10 s left, met by pruning the convolutions; None
            leaves them whole.
        branches_gone: share of attention and feed-forward branches that are gone.
        heads_gone: share of the heads that are gone in the attentions that are left.
    """

    mha_ffn: float
    macs: float | None = None
    branches_gone: float = 0.0
    heads_gone: float = 0.0


# [W23]: 80 % of the attention and feed-forward parameters removed, 26.6 M of 94.7 M
# left. With the straight-through estimator gates close for good, whole branches with
# them; without it they stay half open everywhere, so that nothing is gone (Table 3).
SHAPES = {
    "w23": Shape(0.2, branches_gone=1 / 6, heads_gone=0.1),
    "spread": Shape(0.2),
    "conv": Shape(0.2, macs=0.25, branches_gone=1 / 6, heads_gone=0.1),
}


def draw_config(
    shape: Shape, seed: int = 0, dense: EncoderConfig | None = None
) -> EncoderConfig:
    """Draw an architecture.

    Args:
        shape: what to draw.
        seed: of the draw.
        dense: the model that was pruned; None is WavLM Base.

    Raises:
        ValueError: if the target cannot be met with what the shape lets stand.
    """
    dense = dense or dense_config("wavlm")
    generator = torch.Generator().manual_seed(seed)
    blocks = _draw_blocks(dense, shape, generator)
    before = parameters(dense, config_widths(dense)).mha_ffn

    def with_blocks(factor: float) -> EncoderConfig:
        scaled = tuple(_scale_block(dense, block, factor) for block in blocks)
        return dataclasses.replace(dense, blocks=scaled)

    config = _meet(
        with_blocks,
        lambda c: float(parameters(c, config_widths(c)).mha_ffn / before),
        shape.mha_ffn,
    )
    if shape.macs is None:
        return config
    densities = _spread(len(config.conv_layers), LAYER_SPREAD, generator)
    all_macs = macs(dense, config_widths(dense)).total

    def with_channels(factor: float) -> EncoderConfig:
        layers = tuple(
            dataclasses.replace(conv, channels=_scale(conv.channels, factor * density))
            for conv, density in zip(config.conv_layers, densities, strict=True)
        )
        return dataclasses.replace(config, conv_layers=layers, channel_scale=True)

    return _meet(
        with_channels,
        lambda c: float(macs(c, config_widths(c)).total / all_macs),
        shape.macs,
    )


# For each block: densities of the feed-forward layer (None: gone) and of the living
# heads, by their index, of queries and values
Densities = tuple[float | None, dict[int, tuple[float, float]]]


def _draw_blocks(
    dense: EncoderConfig, shape: Shape, generator: torch.Generator
) -> list[Densities]:
    num = len(dense.blocks)
    order = torch.randperm(2 * num, generator=generator).tolist()
    gone = set(order[: round(2 * num * shape.branches_gone)])
    layers = _spread(2 * num, LAYER_SPREAD, generator)
    blocks: list[Densities] = []
    for i in range(num):
        qk = _spread(dense.num_heads, HEAD_SPREAD, generator)
        vo = _spread(dense.num_heads, HEAD_SPREAD, generator)
        lives = torch.rand(dense.num_heads, generator=generator) >= shape.heads_gone
        heads = {
            j: (
                layers[i] * qk[j] / VALUES_PER_QUERY**0.5,
                layers[i] * vo[j] * VALUES_PER_QUERY**0.5,
            )
            for j in lives.nonzero().flatten().tolist()
            if i not in gone
        }
        blocks.append((None if num + i in gone else layers[num + i], heads))
    return blocks


def _scale_block(
    dense: EncoderConfig, densities: Densities, factor: float
) -> BlockConfig:
    ffn, heads = densities
    width = dense.head_dim
    # every dense block of a published model is as wide as the first
    full = dense.blocks[0].ffn
    return BlockConfig(
        attention=bool(heads),
        heads=tuple(
            HeadConfig(i, _scale(width, factor * qk), _scale(width, factor * vo))
            for i, (qk, vo) in heads.items()
        ),
        feed_forward=ffn is not None,
        ffn=0 if ffn is None else _scale(full, factor * ffn),
    )


def _scale(width: int, density: float) -> int:
    return min(width, max(1, round(width * density)))


def _spread(size: int, deviation: float, generator: torch.Generator) -> list[float]:
    """Draw positive factors around 1."""
    return (deviation * torch.randn(size, generator=generator)).exp().tolist()


def _meet(
    build: Callable[[float], EncoderConfig],
    share: Callable[[EncoderConfig], float],
    target: float,
) -> EncoderConfig:
    """Return what the largest factor builds whose share is not above the target."""
    low, high = 0.0, 16.0  # a density of 1 / 16 times 16 fills a layer
    if share(build(low)) > target or share(build(high)) < target:
        raise ValueError(
            f"expected a share from {share(build(low)):.3f} to "
            f"{share(build(high)):.3f}; found {target}. Change the shape's other shares"
        )
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if share(build(middle)) > target else (middle, high)
    return build(low)
