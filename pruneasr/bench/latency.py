"""Measures the latency table of a dense encoder: every part at several widths.

The modules are the encoder's own with random weights: time depends on shapes alone. All
of them run in turn, round by round, so that a slow minute of the machine falls on all
alike, and the median over the rounds counts. What is equal is measured once: the
branches of all blocks share a grid.

Shapes: T samples, L frames, C channels, D model dimension.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import precision
from pruneasr.bench.table import machine
from pruneasr.bench.timing import alternate, check_enough
from pruneasr.encoder import BlockConfig, Encoder, EncoderConfig, HeadConfig
from pruneasr.encoder.attention import Attention
from pruneasr.encoder.feature_extractor import FeatureExtractor, FeatureProjection
from pruneasr.encoder.layers import FeedForward
from pruneasr.encoder.positions import RelativePositionBias
from pruneasr.pruning.latency import Grid, LatencyTable
from pruneasr.pruning.widths import config_widths

# Points of an axis as shares of the dense width, beside 1. Time is nearly linear above
# a quarter; below it, what no width changes weighs more.
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)
Call = Callable[[], object]
Widths = tuple[int, ...]


@torch.no_grad()
def measure_table(
    config: EncoderConfig,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    seconds: float = 10.0,
    repeats: int = 15,
) -> tuple[LatencyTable, float]:
    """Measure a table with as many threads as torch has.

    Args:
        config: the dense encoder's.
        device: of torch.
        dtype: float32, or bfloat16 by autocast.
        seconds: length of the one utterance that is run.
        repeats: rounds.

    Returns:
        The table, and the median milliseconds of the whole encoder in the same rounds:
        what the parts should add up to.

    Raises:
        ValueError: if the utterance is too short or there is no round.
    """
    check_enough(config, seconds, repeats)
    parts = _Parts(config, device, round(seconds * SAMPLE_RATE))
    calls: dict[str, dict[Widths, Call]] = {
        **{f"conv {i}": dict(parts.conv(i)) for i in range(len(config.conv_layers))},
        "projection": dict(parts.projection()),
        "heads": dict(parts.heads()),
        "attention": dict(parts.attention()),
        "feed_forward": dict(parts.feed_forward()),
        "rest": {(): parts.rest()},
        "whole": {(): parts.whole()},
    }
    named = {
        f"{part} {widths}": call
        for part, points in calls.items()
        for widths, call in points.items()
    }
    with precision(device, dtype):
        alternate(named, 1)  # the first round pays for memory and kernels
        rounds = alternate(named, repeats)

    def ms(part: str) -> dict[Widths, float]:
        return {w: _median_ms(rounds[f"{part} {w}"]) for w in calls[part]}

    table = LatencyTable(
        config=config,
        machine=machine() if device == "cpu" else torch.cuda.get_device_name(device),
        device=device,
        dtype=dtype,
        threads=torch.get_num_threads(),
        seconds=seconds,
        conv=tuple(
            monotone_grid(ms(f"conv {i}")) for i in range(len(config.conv_layers))
        ),
        projection=monotone_grid(ms("projection")),
        heads=monotone_grid(ms("heads")),
        attention=monotone_grid(ms("attention")),
        feed_forward=monotone_grid(ms("feed_forward"), from_zero=True),
        rest=ms("rest")[()],
    )
    return table, ms("whole")[()]


class _Parts:
    """The modules of an encoder at several widths, each with an input to run on.

    A method yields the widths of a part and the call that runs it.
    """

    def __init__(self, config: EncoderConfig, device: str, samples: int) -> None:
        self.config = config
        self.device = device
        self.waveform = torch.randn(1, samples, device=device)
        self.channels = [conv.channels for conv in config.conv_layers]
        self.samples = [samples]  # before the first convolution and after each
        for conv in config.conv_layers:
            self.samples.append((self.samples[-1] - conv.kernel) // conv.stride + 1)
        self.x = self.input(self.samples[-1], config.dim)  # (1, L, D)
        blocks = config_widths(config).blocks
        self.most = {
            name: max(1, *(int(getattr(block, name)) for block in blocks))
            for name in ("heads", "qk", "vo", "ffn")
        }
        self.bias = (
            RelativePositionBias(config).to(device) if config.relative_buckets else None
        )
        self.position_bias = self.bias and self.bias(self.samples[-1])

    def input(self, length: int, width: int) -> Tensor:
        """Return noise (1, length, width)."""
        return torch.randn(1, length, width, device=self.device)

    def conv(self, i: int) -> Iterator[tuple[Widths, Call]]:
        """One convolution with its norm and activation."""
        lengths = torch.tensor([self.samples[i]], device=self.device)
        for before in _axis(self.channels[i - 1]) if i else (1,):
            # frame by frame, as the convolution before leaves it
            x = self.input(self.samples[i], before).transpose(1, 2)
            for after in _axis(self.channels[i]):
                widths = [1] * len(self.channels)  # the other layers are not run
                if i:
                    widths[i - 1] = before
                widths[i] = after
                layer = FeatureExtractor(self._with_channels(widths)).layers[i]
                yield (before, after), functools.partial(self._on(layer), x, lengths)

    def projection(self) -> Iterator[tuple[Widths, Call]]:
        """The map from channels to the model dimension, with its norm."""
        for channels in _axis(self.channels[-1]):
            config = self._with_channels([*self.channels[:-1], channels])
            x = self.input(self.samples[-1], channels)
            yield (channels,), functools.partial(self._on(FeatureProjection(config)), x)

    def heads(self) -> Iterator[tuple[Widths, Call]]:
        """Attention of a few heads, one column each."""
        for heads in _axis(self.most["heads"]):
            yield (heads,), self._attention(heads, heads, heads)

    def attention(self) -> Iterator[tuple[Widths, Call]]:
        """Attention of all heads, its columns spread evenly over them."""
        heads = self.most["heads"]
        queries, values = (
            [heads, *(width for width in _axis(self.most[name]) if width > heads)]
            for name in ("qk", "vo")
        )
        for qk, vo in itertools.product(queries, values):
            yield (qk, vo), self._attention(heads, qk, vo)

    def feed_forward(self) -> Iterator[tuple[Widths, Call]]:
        """The feed-forward branch."""
        for ffn in _axis(self.most["ffn"]):
            module = self._on(FeedForward(self.config, ffn))
            yield (ffn,), functools.partial(module, self.x)

    def rest(self) -> Call:
        """The encoder from the projected frames on, all branches of width zero."""
        blocks = tuple(
            BlockConfig(block.attention, (), block.feed_forward, 0)
            for block in self.config.blocks
        )
        bare = Encoder(dataclasses.replace(self.config, blocks=blocks))
        self._on(bare)
        frames = self.samples[-1]
        lengths = torch.tensor([frames], device=self.device)
        return lambda: (self.bias and self.bias(frames), bare.encode(self.x, lengths))

    def whole(self) -> Call:
        """The dense encoder."""
        return functools.partial(self._on(Encoder(self.config)), self.waveform)

    def _attention(self, heads: int, qk: int, vo: int) -> Call:
        widths = zip(_spread(qk, heads), _spread(vo, heads), strict=True)
        shape = tuple(HeadConfig(i, *width) for i, width in enumerate(widths))
        module = self._on(Attention(self.config, shape))
        return functools.partial(module, self.x, self.position_bias, None)

    def _with_channels(self, channels: Sequence[int]) -> EncoderConfig:
        layers = tuple(
            dataclasses.replace(conv, channels=width)
            for conv, width in zip(self.config.conv_layers, channels, strict=True)
        )
        return dataclasses.replace(self.config, conv_layers=layers)

    def _on(self, module: torch.nn.Module) -> torch.nn.Module:
        return module.eval().to(self.device)


def _axis(width: int) -> list[int]:
    return sorted({1, *(max(1, round(width * share)) for share in SHARES)})


def _spread(columns: int, heads: int) -> list[int]:
    """Share columns out evenly."""
    return [columns // heads + (i < columns % heads) for i in range(heads)]


def monotone_grid(points: dict[Widths, float], *, from_zero: bool = False) -> Grid:
    """Order points and let no time fall as a width grows.

    A time above that of a larger width is lowered to it: disturbances only add time,
    and where a kernel dislikes a width, the larger one could be run instead.

    Args:
        points: widths -> milliseconds.
        from_zero: let width 0 take no time, as what is left of it hardly does.
    """
    axes = tuple(
        tuple(sorted({*axis, 0} if from_zero else {*axis}))
        for axis in zip(*points, strict=True)
    )
    # what was not measured has a width of 0
    ms = [points.get(widths, 0.0) for widths in itertools.product(*axes)]
    times = torch.tensor(ms, dtype=torch.float64).view([len(axis) for axis in axes])
    for i in range(len(axes)):
        times = times.flip(i).cummin(dim=i).values.flip(i)
    return Grid(axes, tuple(times.flatten().tolist()))


def _median_ms(seconds: Sequence[float]) -> float:
    return 1000 * statistics.median(seconds)
