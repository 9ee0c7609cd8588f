"""Blocks that forget what lies between their input and output, for longer batches.

In training a block's inner activations are kept until the backward pass. Checkpointed
blocks keep their input alone and compute the rest a second time (Chen et al. 2016,
"Training deep nets with sublinear memory cost"): less memory, about a third more time.

The second time is the same as the first: torch brings back the state of the random
generators and of autocast, and gates keep the sample that was drawn before the encoder
began.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from pruneasr.encoder.layers import Block
from pruneasr.encoder.model import Encoder


class CheckpointedBlock(Block):
    """A block with the parts, and the names in a state dict, of another."""

    def __init__(self, block: Block) -> None:
        nn.Module.__init__(self)
        self.attention = block.attention
        self.feed_forward = block.feed_forward

    def forward(
        self, x: Tensor, position_bias: Tensor | None, padding_bias: Tensor | None
    ) -> Tensor:
        """Map (B, L, D) to (B, L, D); see :class:`Block`."""
        y: Tensor = checkpoint(
            super().forward, x, position_bias, padding_bias, use_reentrant=False
        )
        return y


def checkpoint_activations(encoder: Encoder) -> None:
    """Checkpoint every block of an encoder, in place."""
    for i, block in enumerate(encoder.blocks):
        assert isinstance(block, Block)
        encoder.blocks[i] = CheckpointedBlock(block).train(block.training)
