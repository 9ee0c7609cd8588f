"""What a plan leaves: the smaller architecture, and which columns of attention stay."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from pruneasr.encoder import BlockConfig, EncoderConfig, HeadConfig

# Kept units by gate, boolean
Plan = dict[tuple[str, int], Tensor]


def planned_config(config: EncoderConfig, plan: Plan) -> EncoderConfig:
    """Return the architecture that is left when a plan is carried out."""
    convs = tuple(
        dataclasses.replace(conv, channels=int(plan["conv", i].sum()))
        if ("conv", i) in plan
        else conv
        for i, conv in enumerate(config.conv_layers)
    )
    return dataclasses.replace(
        config,
        conv_layers=convs,
        channel_scale=config.channel_scale or ("conv", 0) in plan,
        blocks=tuple(_planned_block(b, i, plan) for i, b in enumerate(config.blocks)),
    )


def kept_values(block: BlockConfig, i: int, plan: Plan) -> Tensor:
    """Return which value dimensions of a block's packed heads stay, boolean."""
    total = sum(head.vo for head in block.heads)
    if ("head", i) in plan:
        widths = torch.tensor([head.vo for head in block.heads])
        return plan["head", i].cpu().repeat_interleave(widths)
    if ("vo", i) in plan:
        return plan["vo", i].cpu()
    return torch.ones(total, dtype=torch.bool)


def kept_queries(block: BlockConfig, i: int, plan: Plan) -> Tensor:
    """Return which query dimensions stay: those kept in heads that keep values."""
    total = sum(head.qk for head in block.heads)
    keep = plan[("qk", i)].cpu() if ("qk", i) in plan else torch.ones(total).bool()
    values = kept_values(block, i, plan).split([head.vo for head in block.heads])
    lives = torch.tensor([bool(part.any()) for part in values])
    return keep & lives.repeat_interleave(torch.tensor([h.qk for h in block.heads]))


def _planned_block(block: BlockConfig, i: int, plan: Plan) -> BlockConfig:
    attention = block.attention and bool(
        plan.get(("mha_layer", i), torch.ones(1)).all()
    )
    feed_forward = block.feed_forward and bool(
        plan.get(("ffn_layer", i), torch.ones(1)).all()
    )
    heads = []
    if attention and block.heads:
        queries = kept_queries(block, i, plan).split([h.qk for h in block.heads])
        values = kept_values(block, i, plan).split([h.vo for h in block.heads])
        for head, qk, vo in zip(block.heads, queries, values, strict=True):
            if vo.any():
                heads.append(HeadConfig(head.index, int(qk.sum()), int(vo.sum())))
    ffn = int(plan["ffn", i].sum()) if ("ffn", i) in plan else block.ffn
    return BlockConfig(
        attention, tuple(heads), feed_forward, ffn if feed_forward else 0
    )
