"""Where an encoder spends its time: convolutions, attention, feed-forward, the rest.

This is what bounds a speed-up: a part that pruning leaves whole, or one that does not
shrink with its multiply-accumulates.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import precision, runner
from pruneasr.bench.clock import Clock
from pruneasr.bench.measure import Setting
from pruneasr.encoder import Encoder
from pruneasr.encoder.layers import Block
from pruneasr.markdown import markdown_table
from pruneasr.pruning.cost import macs
from pruneasr.pruning.widths import config_widths

NAMES = ("convolutions", "attention", "feed-forward", "other")


@dataclasses.dataclass(frozen=True)
class Parts:
    """Median seconds of every part, and the multiply-accumulates of two of them.

    Attributes:
        seconds: by :data:`NAMES`; attention and feed-forward with their norms, other is
            projection, positions, and the norm before the blocks.
        conv_macs: of the convolutions; ``block_macs``: of attention and feed-forward.
    """

    seconds: Mapping[str, float]
    conv_macs: int
    block_macs: int

    @property
    def total(self) -> float:
        """Seconds of the whole."""
        return sum(self.seconds.values())

    @property
    def block_seconds(self) -> float:
        """Seconds of attention and feed-forward."""
        return self.seconds["attention"] + self.seconds["feed-forward"]

    def at_rates_of(self, other: Parts) -> float:
        """Return the seconds this would take at the MACs per second of another."""
        conv = self.conv_macs * other.seconds["convolutions"] / other.conv_macs
        blocks = self.block_macs * other.block_seconds / other.block_macs
        return conv + blocks + other.seconds["other"]


def time_parts(encoders: Mapping[str, Encoder], setting: Setting) -> dict[str, Parts]:
    """Return the parts of every encoder, run in turn on noise."""
    timed = {name: _Timed(encoder, setting) for name, encoder in encoders.items()}
    # the first round pays for memory and kernels
    with precision(setting.device, setting.dtype):
        for _ in range(1 + setting.repeats):
            for one in timed.values():
                one.run()
    return {name: one.parts() for name, one in timed.items()}


def parts_table(parts: Mapping[str, Parts]) -> str:
    """Return a table with one line per encoder."""
    columns = ["model", *(f"{name} ms" for name in NAMES)]
    columns += ["convolutions GMAC/s", "blocks GMAC/s"]
    rows = []
    for name, part in parts.items():
        cells = [f"{1000 * part.seconds[column]:.0f}" for column in NAMES]
        cells.append(f"{part.conv_macs / part.seconds['convolutions'] / 1e9:.1f}")
        cells.append(f"{part.block_macs / part.block_seconds / 1e9:.1f}")
        rows.append([name, *cells])
    return markdown_table(columns, rows)


class _Timed:
    """An encoder whose parts are timed in every run."""

    def __init__(self, encoder: Encoder, setting: Setting) -> None:
        self.encoder = encoder.to(setting.device)
        self.setting = setting
        self.clock = Clock()
        self.rounds: list[dict[str, float]] = []
        self.handles: list[RemovableHandle] = []
        self._time(encoder.feature_extractor, "convolutions")
        for block in encoder.blocks:
            assert isinstance(block, Block)
            self._time(block.attention, "attention")
            self._time(block.feed_forward, "feed-forward")
        self.runner = runner(self.encoder, "eager")
        samples = round(setting.seconds * SAMPLE_RATE)
        self.waveforms = torch.randn(setting.batch, samples, device=setting.device)

    def _time(self, module: nn.Module, name: str) -> None:
        enter = module.register_forward_pre_hook(lambda *_: self.clock.enter(name))
        leave = module.register_forward_hook(lambda *_: self.clock.leave())
        self.handles += [enter, leave]

    def run(self) -> None:
        """Run once, and note the seconds of every part."""
        with self.clock.part("other"):
            self.runner(self.waveforms)
        self.rounds.append(self.clock.take())

    def parts(self) -> Parts:
        """Return the medians of all runs but the first, and end the timing."""
        for handle in self.handles:
            handle.remove()
        config, batch = self.encoder.config, self.setting.batch
        cost = macs(config, config_widths(config), self.setting.seconds)
        seconds = {
            name: statistics.median(r[name] for r in self.rounds[1:]) for name in NAMES
        }
        return Parts(seconds, int(batch * cost.cnn), int(batch * cost.mha_ffn))
