"""Multi-head attention with heads of any width, and WavLM's gated position bias.

    head_i = softmax( (x W_Q^i)(x W_K^i)^T / sqrt(d) + gate_i(x) * bias_i ) (x W_V^i)
    output = concat_i(head_i) W_O + b_O

d is the head width of the dense model, whatever is left of a head ([W23] Eq. 3 with the
scale it omits). A head may have no query and key columns: it then attends by its
position bias alone, or uniformly. The projections are called as modules, so adapters
such as LoRA that wrap a Linear receive their gradient.

Trained, exported, and on GPUs, heads run in groups of padded width; on a CPU, without
gradients, one by one.

Shapes: B batch, L frames, D model dimension, h living heads, K padded head width, V sum
of the living heads' value widths.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.encoder.config import EncoderConfig, HeadConfig
from pruneasr.encoder.head_layout import HeadGroup, group_heads
from pruneasr.encoder.kernels import Linear, dropout, is_eager_on_cpu
from pruneasr.encoder.positions import RelativePositionGate

# 1 MB in float32, half the second-level cache of a current core
SCORES_AT_ONCE = 2**18


class Attention(nn.Module):
    """Self-attention over the frames."""

    packed_index: Tensor | None

    def __init__(self, config: EncoderConfig, heads: tuple[HeadConfig, ...]) -> None:
        super().__init__()
        self.qk_widths = [head.qk for head in heads]
        self.vo_widths = [head.vo for head in heads]
        self.head_indices = [head.index for head in heads]
        qk, vo = sum(self.qk_widths), sum(self.vo_widths)
        self.scale = config.head_dim**-0.5
        self.dropout = config.dropout
        self.q_proj = Linear(config.dim, qk)
        self.k_proj = Linear(config.dim, qk)
        self.v_proj = Linear(config.dim, vo)
        self.out_proj = Linear(vo, config.dim)
        self.qk_slot = nn.Identity()
        self.vo_slot = nn.Identity()
        self.relative_gate = (
            RelativePositionGate(config, self.head_indices)
            if config.relative_buckets
            else None
        )
        groups = group_heads(heads)
        self.groups = nn.ModuleList(_Group(group, heads, qk, vo) for group in groups)
        self.register_buffer("packed_index", _invert(groups, vo), False)

    def forward(
        self, x: Tensor, position_bias: Tensor | None, padding_bias: Tensor | None
    ) -> Tensor:
        """Attend over x.

        Args:
            x: (B, L, D).
            position_bias: relative position bias (H, L, L) of all dense heads, or None.
            padding_bias: (B, 1, 1, L), minus infinity on padded keys, or None.

        Returns:
            (B, L, D).
        """
        q = self.qk_slot(self.q_proj(x))
        k = self.k_proj(x)
        v = self.vo_slot(self.v_proj(x))
        factor = None if self.relative_gate is None else self.relative_gate(x)
        return self.out_proj(self.attend(q, k, v, factor, position_bias, padding_bias))

    def attend(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        factor: Tensor | None,
        position_bias: Tensor | None,
        padding_bias: Tensor | None,
    ) -> Tensor:
        """Map packed queries, keys and values (B, L, sum of widths) to (B, L, V).

        On a CPU where nothing is learned, gated biases are added head by head.
        """
        dropped = self.training and self.dropout > 0
        inputs = (q, k, v, factor, position_bias)
        learns = any(x is not None and x.requires_grad for x in inputs)
        one_by_one = is_eager_on_cpu(q) and not (learns or dropped)
        if one_by_one and factor is not None and position_bias is not None:
            return self._head_by_head(q, k, v, factor, position_bias, padding_bias)
        return self._in_groups(q, k, v, factor, position_bias, padding_bias)

    def _in_groups(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        factor: Tensor | None,
        position_bias: Tensor | None,
        padding_bias: Tensor | None,
    ) -> Tensor:
        """Attend in one product for each group of heads; returns (B, L, V)."""
        rate = self.dropout if self.training else 0.0
        outputs = []
        for group in self.groups:
            assert isinstance(group, _Group)
            attended = _attend_group(
                group.spread(q, group.qk_index),
                group.spread(k, group.qk_index),
                group.spread(v, group.vo_index),
                *group.pick(factor, position_bias),
                padding_bias,
                self.scale,
                rate,
            )  # (B, h, L, K)
            outputs.append(attended.transpose(1, 2).flatten(2))  # (B, L, h K)
        packed = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
        if self.packed_index is not None:
            packed = packed.index_select(-1, self.packed_index)
        return packed

    def _head_by_head(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        factor: Tensor,
        position_bias: Tensor,
        padding_bias: Tensor | None,
    ) -> Tensor:
        """Attend one head after the other, each at its own width; returns (B, L, V).

        Of each head some rows of scores at once, so few that they stay in the cache
        while gate, bias and softmax pass over them; the gated bias of all heads,
        (B, h, L, L), would go to memory and back. Scores are float32 in any autocast.
        """
        rows = max(1, SCORES_AT_ONCE // (q.size(0) * q.size(1)))
        packed = torch.empty_like(v, dtype=torch.float32)
        with torch.autocast(q.device.type, enabled=False):
            heads = zip(
                self.head_indices,
                (self.scale * q.float()).split(self.qk_widths, -1),
                k.float().transpose(1, 2).split(self.qk_widths, 1),
                v.float().split(self.vo_widths, -1),
                factor.float().unbind(1),
                packed.split(self.vo_widths, -1),
                strict=True,
            )
            for index, queries, keys, values, gate, output in heads:
                for i in range(0, q.size(1), rows):
                    part = slice(i, i + rows)
                    scores = queries[:, part] @ keys  # (B, rows, L)
                    scores.addcmul_(gate[:, part], position_bias[index, part])
                    if padding_bias is not None:
                        scores += padding_bias[:, 0]
                    torch.softmax(scores, -1, out=scores)
                    output[:, part] = scores @ values
        return packed.to(v.dtype)


class _Group(nn.Module):
    """Buffers of one :class:`HeadGroup`; an index is None where nothing moves."""

    qk_index: Tensor | None
    vo_index: Tensor | None
    head_indices: Tensor
    members: Tensor

    def __init__(
        self, group: HeadGroup, heads: tuple[HeadConfig, ...], qk: int, vo: int
    ) -> None:
        super().__init__()
        self.num_heads = len(group.heads)
        self.whole = self.num_heads == len(heads)
        self.register_buffer("qk_index", _gather_index(group.qk_index, qk), False)
        self.register_buffer("vo_index", _gather_index(group.vo_index, vo), False)
        indices = [heads[i].index for i in group.heads]
        self.register_buffer("head_indices", torch.tensor(indices), False)
        self.register_buffer("members", torch.tensor(group.heads), False)

    def spread(self, packed: Tensor, index: Tensor | None) -> Tensor:
        """Map packed columns (B, L, P) to padded heads (B, h, L, K)."""
        if index is not None:
            packed = F.pad(packed, (0, 1)).index_select(-1, index)
        return packed.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def pick(
        self, factor: Tensor | None, position_bias: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gates (B, h, L, 1) and biases (h, L, L) of this group's heads."""
        if factor is None or position_bias is None:
            return None, None
        if not self.whole:
            factor = factor.index_select(1, self.members)
        return factor, position_bias.index_select(0, self.head_indices)


def _attend_group(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    factor: Tensor | None,
    position_bias: Tensor | None,
    padding_bias: Tensor | None,
    scale: float,
    rate: float,
) -> Tensor:
    """Attend by queries, keys and values (B, h, L, K), gated biases and padding.

    torch has no fused kernel for CPUs where a bias wants a gradient: plain products
    then take fewer passes over the scores, all in the type of the queries.
    """
    bias = padding_bias
    if factor is not None and position_bias is not None:
        if is_eager_on_cpu(q) and q.requires_grad:
            factor, position_bias = factor.to(q.dtype), position_bias.to(q.dtype)
            scores = (scale * q) @ k.transpose(-1, -2)  # (B, h, L, L)
            scores = torch.addcmul(scores, factor, position_bias)
            if padding_bias is not None:
                scores = scores + padding_bias.to(q.dtype)
            return dropout(scores.softmax(-1), rate) @ v
        bias = factor * position_bias
        bias = bias if padding_bias is None else bias + padding_bias
    bias = None if bias is None else bias.to(q.dtype)
    return F.scaled_dot_product_attention(q, k, v, bias, rate, scale=scale)


def _gather_index(index: tuple[int, ...], packed: int) -> Tensor | None:
    """Turn -1 into the appended zero column; None if the order is already right."""
    if index == tuple(range(packed)):
        return None
    return torch.tensor([packed if i < 0 else i for i in index])


def _invert(groups: list[HeadGroup], packed: int) -> Tensor | None:
    """Where each packed column stands among the padded ones; None if all are there."""
    padded = [column for group in groups for column in group.vo_index]
    if padded == list(range(packed)):
        return None
    place = {column: i for i, column in enumerate(padded)}
    return torch.tensor([place[column] for column in range(packed)])
