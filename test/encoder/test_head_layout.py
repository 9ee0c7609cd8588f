"""Groups of heads: complete, exact, and as cheap as any grouping."""

import itertools

import pytest

from pruneasr.encoder import HeadConfig
from pruneasr.encoder.head_layout import GROUP_COST, WIDTH_MULTIPLE, group_heads

CASES = [
    [(64, 64)] * 12,
    [(1, 64), (64, 1), (0, 3), (17, 16)],
    [(8, 8)] * 6 + [(64, 64)] * 6,
    [(0, 1)],
    [(33, 5), (5, 33), (12, 12), (64, 2), (9, 9), (1, 1)],
    [(16, 16), (64, 64), (16, 16), (64, 64), (40, 40)],
]


def heads_of(widths):
    return tuple(HeadConfig(i, qk, vo) for i, (qk, vo) in enumerate(widths))


def padded_width(head):
    return -(-max(head.qk, head.vo) // WIDTH_MULTIPLE) * WIDTH_MULTIPLE


def partitions(items):
    """Yield every way to split a list into groups."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for size in range(len(rest) + 1):
        for others in itertools.combinations(rest, size):
            left = [item for item in rest if item not in others]
            for partition in partitions(left):
                yield [[first, *others], *partition]


@pytest.mark.parametrize("widths", CASES)
def test_every_column_is_gathered_once(widths):
    heads = heads_of(widths)
    groups = group_heads(heads)
    assert sorted(i for group in groups for i in group.heads) == list(range(len(heads)))
    for index, total in (
        ([g.qk_index for g in groups], sum(head.qk for head in heads)),
        ([g.vo_index for g in groups], sum(head.vo for head in heads)),
    ):
        columns = [i for group in index for i in group if i >= 0]
        assert sorted(columns) == list(range(total))


@pytest.mark.parametrize("widths", CASES)
def test_columns_stand_with_their_head(widths):
    heads = heads_of(widths)
    for group in group_heads(heads):
        assert group.width % WIDTH_MULTIPLE == 0
        for row, i in enumerate(group.heads):
            start = sum(head.qk for head in heads[:i])
            wanted = list(range(start, start + heads[i].qk))
            found = list(group.qk_index[row * group.width :][: group.width])
            assert found == wanted + [-1] * (group.width - heads[i].qk)


@pytest.mark.parametrize("widths", CASES[1:2] + CASES[3:])
def test_no_grouping_is_cheaper(widths):
    heads = heads_of(widths)

    def cost(groups):
        return sum(
            GROUP_COST + len(group) * max(padded_width(heads[i]) for i in group)
            for group in groups
        )

    best = min(cost(partition) for partition in partitions(list(range(len(heads)))))
    assert cost([group.heads for group in group_heads(heads)]) == best


def test_dense_heads_are_one_group_without_moves():
    (group,) = group_heads(heads_of([(64, 64)] * 12))
    assert group.qk_index == group.vo_index == tuple(range(12 * 64))


def test_unlike_heads_are_split():
    groups = group_heads(heads_of([(8, 8)] * 6 + [(64, 64)] * 6))
    assert sorted(group.width for group in groups) == [8, 64]


def test_no_heads():
    assert group_heads(()) == []
