"""The widths of an encoder as numbers: those it has, expects to have, or must keep.

Integers for a config, tensors for gates: the cost functions take either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import torch
from torch import Tensor

from pruneasr.encoder import BlockConfig, Encoder, EncoderConfig
from pruneasr.pruning.units import Gates, find_gates

Number = int | float | Tensor


@dataclasses.dataclass(frozen=True)
class BlockWidths:
    """What is left of one block.

    Attributes:
        attention, feed_forward: whether the branch exists (0..1).
        heads: living heads; ``any_head``: whether there is one (0..1).
        qk, vo: query-key and value-output dimensions of all living heads.
        ffn: inner dimensions of the feed-forward layer.
    """

    attention: Number
    heads: Number
    any_head: Number
    qk: Number
    vo: Number
    feed_forward: Number
    ffn: Number


@dataclasses.dataclass(frozen=True)
class Widths:
    """What is left of an encoder."""

    channels: tuple[Number, ...]
    channel_scale: bool
    blocks: tuple[BlockWidths, ...]


def config_widths(config: EncoderConfig) -> Widths:
    """Return the widths that a config states."""
    return Widths(
        channels=tuple(conv.channels for conv in config.conv_layers),
        channel_scale=config.channel_scale,
        blocks=tuple(_block_widths(block) for block in config.blocks),
    )


def expected_widths(encoder: Encoder) -> Widths:
    """Return the expected widths of a gated encoder, differentiable.

    Dimensions count with P(z > 0). A head lives unless all its values are closed; its
    queries are counted regardless of that, as in [W23].
    """
    gates = find_gates(encoder)
    dense = config_widths(encoder.config)
    channels = tuple(
        gates["conv", i].probability().sum() if ("conv", i) in gates else width
        for i, width in enumerate(dense.channels)
    )
    return Widths(
        channels=channels,
        channel_scale=dense.channel_scale or ("conv", 0) in gates,
        blocks=tuple(
            _expected_block(gates, i, block, dense.blocks[i])
            for i, block in enumerate(encoder.config.blocks)
        ),
    )


def floor_widths(config: EncoderConfig, units: Iterable[str]) -> Widths:
    """Return the least widths that gates on these units can reach.

    Every convolution keeps one channel; a branch that has no layer gate keeps its
    output bias.
    """
    units = set(units)
    dense = config_widths(config)
    no_values = bool(units & {"vo", "head"})

    def floor(block: BlockWidths) -> BlockWidths:
        attention = 0 if "mha_layer" in units else block.attention
        dead = no_values or not attention
        return BlockWidths(
            attention=attention,
            heads=0 if dead else block.heads,
            any_head=0 if dead else block.any_head,
            qk=0 if dead or "qk" in units else block.qk,
            vo=0 if dead else block.vo,
            feed_forward=0 if "ffn_layer" in units else block.feed_forward,
            ffn=0 if units & {"ffn", "ffn_layer"} else block.ffn,
        )

    return Widths(
        channels=(1,) * len(dense.channels) if "conv" in units else dense.channels,
        channel_scale=dense.channel_scale or "conv" in units,
        blocks=tuple(floor(block) for block in dense.blocks),
    )


def _block_widths(block: BlockConfig) -> BlockWidths:
    return BlockWidths(
        attention=int(block.attention),
        heads=len(block.heads),
        any_head=int(bool(block.heads)),
        qk=sum(head.qk for head in block.heads),
        vo=sum(head.vo for head in block.heads),
        feed_forward=int(block.feed_forward),
        ffn=block.ffn,
    )


def _expected_block(
    gates: Gates, i: int, block: BlockConfig, dense: BlockWidths
) -> BlockWidths:
    qk: Number = dense.qk
    vo: Number = dense.vo
    ffn: Number = dense.ffn
    heads: Number = dense.heads
    any_head: Number = dense.any_head
    attention: Number = dense.attention
    feed_forward: Number = dense.feed_forward
    per_qk = gates["qk", i].probability() if ("qk", i) in gates else None
    if per_qk is not None:
        qk = per_qk.sum()
    if ("vo", i) in gates:
        per_vo = gates["vo", i].probability()
        vo = per_vo.sum()
        closed = torch.stack(
            [(1 - part).prod() for part in per_vo.split([h.vo for h in block.heads])]
        )
        heads, any_head = (1 - closed).sum(), 1 - closed.prod()
    elif ("head", i) in gates:
        lives = gates["head", i].probability()
        widths = lives.new_tensor([[head.qk, head.vo] for head in block.heads])
        vo = (lives * widths[:, 1]).sum()
        # a head's queries go with it
        per_head = widths[:, 0]
        if per_qk is not None:
            parts = per_qk.split([head.qk for head in block.heads])
            per_head = torch.stack([part.sum() for part in parts])
        qk = (lives * per_head).sum()
        heads, any_head = lives.sum(), 1 - (1 - lives).prod()
    if ("ffn", i) in gates:
        ffn = gates["ffn", i].probability().sum()
    if ("mha_layer", i) in gates:
        attention = gates["mha_layer", i].probability().sum()
    if ("ffn_layer", i) in gates:
        feed_forward = gates["ffn_layer", i].probability().sum()
    return BlockWidths(attention, heads, any_head, qk, vo, feed_forward, ffn)
