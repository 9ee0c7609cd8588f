"""Milliseconds of an encoder as a function of its widths, out of a measured table.

``python -m pruneasr.bin.latency`` measures the table on the machine that will run the
encoder. Between its points the time of a part is interpolated linearly in each width:
continuous, never falling as a width grows, with a gradient almost everywhere.

    part            widths
    conv            channels in, channels out     one grid for each convolution
    projection      channels of the last convolution
    heads           living heads, one column each
    attention       qk, vo; all heads living      branch of one block
    feed_forward    ffn                           branch of one block
    rest            position embedding, relative position bias, norms, residual sums

The branches of all blocks have the same input, so one grid serves them all. What a head
takes besides its columns (softmax, bias, gathers) does not depend on them, so an
attention takes the time of its living heads plus that of the columns beyond the first
point of ``attention``. A branch that is gone takes no time.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pruneasr.encoder import EncoderConfig
from pruneasr.pruning.cost import Cost
from pruneasr.pruning.widths import BlockWidths, Number, Widths, config_widths

VERSION = 1
GRIDS = ("projection", "heads", "attention", "feed_forward")


@dataclasses.dataclass(frozen=True)
class Grid:
    """Times of one part on a grid of widths.

    Attributes:
        axes: ascending points of each width.
        ms: milliseconds at every point, the last axis varying fastest.

    Raises:
        ValueError: if the numbers do not form such a grid, or a time falls as a width
            grows.
    """

    axes: tuple[tuple[float, ...], ...]
    ms: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.axes or not all(_ascends(axis) for axis in self.axes):
            raise ValueError(f"expected axes of ascending widths; found {self.axes}")
        shape = [len(axis) for axis in self.axes]
        if len(self.ms) != math.prod(shape):
            raise ValueError(f"expected ms of shape {shape}; found {len(self.ms)}")
        ms = torch.tensor(self.ms, dtype=torch.float64).view(shape)
        steps = [ms.diff(dim=i) for i in range(len(shape))]
        if not ms.isfinite().all() or any(bool((x < 0).any()) for x in (ms, *steps)):
            raise ValueError(
                "expected finite times from 0 on that do not fall as a width grows; "
                f"found {self.ms}"
            )

    def __call__(self, *widths: Tensor) -> Tensor:
        """Return ms (N,) at widths (N,), one tensor for each axis.

        Beyond an end of an axis the time stays as it is there.
        """
        like = widths[0]
        weights = like.new_ones(len(like), 1)
        for axis, width in zip(self.axes, widths, strict=True):
            of_axis = _weights(like.new_tensor(axis), width)  # (N, K)
            weights = (weights[:, :, None] * of_axis[:, None]).flatten(1)
        # no matrix product: autocast would round it
        return (weights * like.new_tensor(self.ms)).sum(1)


@dataclasses.dataclass(frozen=True)
class LatencyTable:
    """What was measured, where, and how.

    Attributes:
        config: the dense encoder's.
        machine, device, dtype, threads: what ran it.
        seconds: length of the one utterance that was run.
        conv, projection, heads, attention, feed_forward: see the head of this file.
        rest: milliseconds that no width changes.

    Raises:
        ValueError: if the grids do not reach the widths of the config.
    """

    config: EncoderConfig
    machine: str
    device: str
    dtype: str
    threads: int
    seconds: float
    conv: tuple[Grid, ...]
    projection: Grid
    heads: Grid
    attention: Grid
    feed_forward: Grid
    rest: float

    def __post_init__(self) -> None:
        dense = config_widths(self.config)
        before = (1, *dense.channels)
        if len(self.conv) != len(dense.channels):
            raise ValueError(
                f"expected {len(dense.channels)} grids of convolutions; found "
                f"{len(self.conv)}"
            )
        for i, (grid, channels) in enumerate(
            zip(self.conv, dense.channels, strict=True)
        ):
            _check_reach(f"conv {i}", grid, (before[i], channels))
        _check_reach("projection", self.projection, dense.channels[-1:])
        for block in dense.blocks:
            _check_reach("heads", self.heads, (block.heads,))
            _check_reach("attention", self.attention, (block.qk, block.vo))
            _check_reach("feed_forward", self.feed_forward, (block.ffn,))
        if not (0 <= self.rest < math.inf and 0 < self.seconds < math.inf):
            raise ValueError(
                "expected rest >= 0 and seconds > 0; found "
                f"{self.rest} and {self.seconds}"
            )

    def __str__(self) -> str:
        where = f"{self.machine}, {self.device}, {self.dtype}, {self.threads} threads"
        return f"{self.seconds:g} s on {where}"

    def check(self, config: EncoderConfig) -> None:
        """Raise ValueError if the table belongs to another architecture than this."""
        mine, theirs = self.config.to_dict(), config.to_dict()
        # dropout does nothing in evaluation
        differ = [k for k in mine if k != "dropout" and mine[k] != theirs[k]]
        if differ:
            raise ValueError(
                "expected a latency table of the encoder that is pruned; found one of "
                f"an encoder with other {', '.join(differ)}. Measure it with python -m "
                "pruneasr.bin.latency"
            )


def latency(table: LatencyTable, widths: Widths) -> Cost:
    """Return the milliseconds of one utterance of ``table.seconds``.

    Args:
        table: of the dense encoder.
        widths: exact, or expected and differentiable.
    """
    numbers = [
        *widths.channels,
        *(number for block in widths.blocks for number in vars(block).values()),
    ]
    expected = [number for number in numbers if isinstance(number, Tensor)]
    like = expected[0] if expected else torch.zeros((), dtype=torch.float64)

    def vector(values: Sequence[Number]) -> Tensor:
        return torch.stack([torch.as_tensor(value).to(like) for value in values])

    before, after = (1, *widths.channels), widths.channels
    cnn = like.new_zeros(())
    for i, grid in enumerate(table.conv):
        cnn = cnn + grid(vector(before[i : i + 1]), vector(after[i : i + 1])).sum()
    of = {
        field.name: vector([getattr(block, field.name) for block in widths.blocks])
        for field in dataclasses.fields(BlockWidths)
    }
    columns = table.attention(of["qk"], of["vo"]) - table.attention.ms[0]
    attention = of["attention"] * of["any_head"] * (table.heads(of["heads"]) + columns)
    feed_forward = of["feed_forward"] * table.feed_forward(of["ffn"])
    mha_ffn = (attention + feed_forward).sum()
    rest = table.projection(vector(after[-1:])).sum() + table.rest
    if expected:
        return Cost(cnn, mha_ffn, rest)
    return Cost(float(cnn), float(mha_ffn), float(rest))


def save_table(table: LatencyTable, path: Path) -> None:
    """Write a table as JSON."""
    values = {"version": VERSION, **dataclasses.asdict(table)}
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def load_table(path: str | Path) -> LatencyTable:
    """Read a table.

    Raises:
        ValueError: if it is not a table of this version; says what is wrong.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(values, dict) or values.pop("version", None) != VERSION:
            raise ValueError(f"expected a latency table of version {VERSION}")
        return _table(values)
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: {error}. Measure it with python -m pruneasr.bin.latency"
        ) from error


def _table(values: Mapping[str, Any]) -> LatencyTable:
    _check_keys(LatencyTable, values)
    return LatencyTable(
        **{
            **values,
            "config": EncoderConfig.from_dict(values["config"]),
            "conv": tuple(_grid(grid) for grid in values["conv"]),
            **{name: _grid(values[name]) for name in GRIDS},
        }
    )


def _grid(values: Mapping[str, Any]) -> Grid:
    _check_keys(Grid, values)
    axes = tuple(tuple(float(x) for x in axis) for axis in values["axes"])
    return Grid(axes, tuple(float(x) for x in values["ms"]))


def _check_keys(cls: type[Any], values: Mapping[str, Any]) -> None:
    expected = [field.name for field in dataclasses.fields(cls)]
    if set(values) != set(expected):
        raise ValueError(
            f"{cls.__name__}: expected the keys {expected}; found {list(values)}"
        )


def _check_reach(part: str, grid: Grid, widths: Sequence[Number]) -> None:
    ends = [axis[-1] for axis in grid.axes]
    if len(ends) != len(widths) or any(
        end < width for end, width in zip(ends, widths, strict=True)
    ):
        raise ValueError(
            f"expected the grid of {part} to reach {list(widths)}, the widths of the "
            f"dense encoder; found {ends}"
        )


def _ascends(axis: Sequence[float]) -> bool:
    return len(axis) > 0 and all(a < b for a, b in itertools.pairwise(axis))


def _weights(axis: Tensor, width: Tensor) -> Tensor:
    """Return the weight (N, K) of each of the K points of an axis at widths (N,)."""
    # how far each width is through each step of the axis
    share = ((width[:, None] - axis[:-1]) / axis.diff()).clamp(0, 1)
    return F.pad(share, (1, 0), value=1.0) - F.pad(share, (0, 1))
