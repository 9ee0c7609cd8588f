"""Attention as ONNX Runtime computes it fastest on a CPU: head by head.

The scores of one head, 1 MB at 10 s in float32, stay in the cache while bias and
softmax pass over them; nothing is padded, and the position bias of a group of heads is
not gathered anew in every block. WavLM Base with a quarter of its MACs left, 10 s, two
cores, linear layers in int8: about a fifth faster as a whole.

Shapes: B batch, L frames, V sum of the heads' value widths.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from pruneasr.encoder.attention import Attention
from pruneasr.encoder.model import Encoder


def for_onnx(encoder: Encoder) -> Encoder:
    """Return a copy on the CPU that attends so; parameters have the same values."""
    encoder = copy.deepcopy(encoder).cpu()
    for module in encoder.modules():
        if isinstance(module, Attention):
            module.__class__ = HeadByHead
    return encoder


class HeadByHead(Attention):
    """Attention, one head after the other, each at its own width."""

    def attend(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        factor: Tensor | None,
        position_bias: Tensor | None,
        padding_bias: Tensor | None,
    ) -> Tensor:
        """Attend head by head; shapes as in the class above."""
        assert padding_bias is not None  # export traces unequal lengths
        # One more column of every head, 1 times the padding bias: an addition to the
        # scores would be one more pass over them.
        queries = torch.cat([self.scale * q, torch.ones_like(q[..., :1])], dim=-1)
        keys = torch.cat([k.transpose(1, 2), padding_bias[:, 0]], dim=1)
        columns = _with_last(self.qk_widths)
        widths = [width + 1 for width in self.qk_widths]
        gates = () if factor is None else factor[..., 0].transpose(1, 2).split(1, -1)
        outputs = []
        heads = zip(
            queries.index_select(-1, columns).split(widths, -1),
            keys.index_select(1, columns).split(widths, 1),
            v.split(self.vo_widths, -1),
            strict=True,
        )
        for i, (query, key, value) in enumerate(heads):
            scores = query @ key  # (B, L, L)
            if factor is not None and position_bias is not None:
                scores = scores + gates[i] * position_bias[self.head_indices[i]]
            outputs.append(scores.softmax(-1) @ value)
        return torch.cat(outputs, dim=-1)


def _with_last(widths: list[int]) -> Tensor:
    """Index of packed columns, head by head, each followed by the one after all."""
    index: list[int] = []
    start = 0
    for width in widths:
        index += [*range(start, start + width), sum(widths)]
        start += width
    return torch.tensor(index)
