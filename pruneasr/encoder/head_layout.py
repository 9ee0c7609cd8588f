"""How heads of unequal width run as few equal ones.

Projections are packed: the query weight holds the rows of all heads, one after another,
without padding. For the attention product the packed columns are spread over groups of
heads; within a group every head is zero-padded to one width. Zero columns change
neither the scores nor the kept outputs, so the result is exact.
"""

from __future__ import annotations

import dataclasses

from pruneasr.encoder.config import HeadConfig

# Widths the vector units like; a head never runs at less.
WIDTH_MULTIPLE = 8
# One more group costs about as much as this many padded columns: the launch of one more
# attention product and its gathers (one 64-wide head at 10 s on two CPU cores).
GROUP_COST = 64


@dataclasses.dataclass(frozen=True)
class HeadGroup:
    """Heads that run together.

    Attributes:
        heads: positions among the living heads.
        width: padded width of every head of the group.
        qk_index: for each padded query column its packed column; ``-1`` means zero.
        vo_index: the same for values.
    """

    heads: tuple[int, ...]
    width: int
    qk_index: tuple[int, ...]
    vo_index: tuple[int, ...]


def group_heads(heads: tuple[HeadConfig, ...]) -> list[HeadGroup]:
    """Split heads into groups so that padding plus group overhead is least."""
    order = sorted(range(len(heads)), key=lambda i: -_padded_width(heads[i]))
    widths = [_padded_width(heads[i]) for i in order]
    # best[n]: least cost of the first n heads, and where their last group starts
    best = [(0, 0)]
    for end in range(1, len(order) + 1):
        best.append(
            min(
                (best[start][0] + GROUP_COST + (end - start) * widths[start], start)
                for start in range(end)
            )
        )
    groups = []
    end = len(order)
    while end:
        start = best[end][1]
        groups.append(_make_group(heads, sorted(order[start:end]), widths[start]))
        end = start
    return groups[::-1]


def _padded_width(head: HeadConfig) -> int:
    return -(-max(head.qk, head.vo, 1) // WIDTH_MULTIPLE) * WIDTH_MULTIPLE


def _make_group(
    heads: tuple[HeadConfig, ...], members: list[int], width: int
) -> HeadGroup:
    return HeadGroup(
        heads=tuple(members),
        width=width,
        qk_index=_spread([head.qk for head in heads], members, width),
        vo_index=_spread([head.vo for head in heads], members, width),
    )


def _spread(packed: list[int], members: list[int], width: int) -> tuple[int, ...]:
    """Index of packed columns, head by head, filled up with -1."""
    index: list[int] = []
    for i in members:
        start = sum(packed[:i])
        index += range(start, start + packed[i])
        index += [-1] * (width - packed[i])
    return tuple(index)
