"""A Transformer block: attention and feed-forward, each with its residual and norm.

Post-norm (Base):  x <- norm(x + branch(x))
Pre-norm (Large):  x <- x + branch(norm(x))

A branch may be absent (it adds nothing) or have width zero (it adds its output bias).

Shapes: B batch, L frames, D model dimension, F feed-forward width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pruneasr.encoder.attention import Attention
from pruneasr.encoder.config import BlockConfig, EncoderConfig
from pruneasr.encoder.kernels import Dropout, Linear, gelu


class FeedForward(nn.Module):
    """``gelu(x W_U + b_U) W_D + b_D`` with an empty slot on the inner dimensions."""

    def __init__(self, config: EncoderConfig, width: int) -> None:
        super().__init__()
        self.up_proj = Linear(config.dim, width)
        self.slot = nn.Identity()
        self.dropout = Dropout(config.dropout)
        self.down_proj = Linear(width, config.dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, L, D) to (B, L, D)."""
        return self.down_proj(self.dropout(self.slot(gelu(self.up_proj(x)))))


class OutputBias(nn.Module):
    """What is left of a branch of width zero: the bias of its output projection."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor, *context: Tensor | None) -> Tensor:
        """Return the bias in the shape of x (B, L, D)."""
        return self.bias.expand_as(x)


class Residual(nn.Module):
    """``x + branch(x)`` with its norm, and an empty slot on the branch's output."""

    def __init__(self, branch: nn.Module | None, config: EncoderConfig) -> None:
        super().__init__()
        self.branch = branch
        self.norm_first = config.norm_first
        self.slot = nn.Identity()
        self.dropout = Dropout(config.dropout)
        # an absent pre-norm branch has nothing to normalise; post-norm always has
        has_norm = branch is not None or not config.norm_first
        self.norm = nn.LayerNorm(config.dim) if has_norm else None

    def forward(self, x: Tensor, *context: Tensor | None) -> Tensor:
        """Map (B, L, D) to (B, L, D); ``context`` is handed to the branch."""
        if self.branch is None:
            return x if self.norm is None else self.norm(x)
        assert self.norm is not None  # a branch always has one
        y = self.norm(x) if self.norm_first else x
        y = x + self.slot(self.dropout(self.branch(y, *context)))
        return y if self.norm_first else self.norm(y)


class Block(nn.Module):
    """Attention, then feed-forward."""

    def __init__(self, config: EncoderConfig, block: BlockConfig) -> None:
        super().__init__()
        self.attention = Residual(_attention(config, block), config)
        self.feed_forward = Residual(_feed_forward(config, block), config)

    def forward(
        self, x: Tensor, position_bias: Tensor | None, padding_bias: Tensor | None
    ) -> Tensor:
        """Map (B, L, D) to (B, L, D); the biases are those of :class:`Attention`."""
        return self.feed_forward(self.attention(x, position_bias, padding_bias))


def _attention(config: EncoderConfig, block: BlockConfig) -> nn.Module | None:
    if not block.attention:
        return None
    return Attention(config, block.heads) if block.heads else OutputBias(config.dim)


def _feed_forward(config: EncoderConfig, block: BlockConfig) -> nn.Module | None:
    if not block.feed_forward:
        return None
    return FeedForward(config, block.ffn) if block.ffn else OutputBias(config.dim)
