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

from pruneasr.bench.backends import precision, runner
from pruneasr.bench.clock import Clock
from pruneasr.bench.measure import Setting
from pruneasr.bench.timing import SAMPLE_RATE
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
    """Return the parts of every encoder, run one after the other on noise."""
    return {name: _time(encoder, setting) for name, encoder in encoders.items()}


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


def _time(encoder: Encoder, setting: Setting) -> Parts:
    clock = Clock()
    places: list[tuple[nn.Module, str]] = [(encoder.feature_extractor, "convolutions")]
    for block in encoder.blocks:
        assert isinstance(block, Block)
        places += [(block.attention, "attention"), (block.feed_forward, "feed-forward")]
    handles = []
    for module, name in places:
        enter = module.register_forward_pre_hook(
            lambda *_, name=name: clock.enter(name)
        )
        handles += [enter, module.register_forward_hook(lambda *_: clock.leave())]
    run = runner(encoder.to(setting.device), "eager")
    samples = round(setting.seconds * SAMPLE_RATE)
    waveforms = torch.randn(setting.batch, samples, device=setting.device)
    rounds = []
    with precision(setting.device, setting.dtype):
        for _ in range(setting.repeats + 1):
            with clock.part("other"):
                run(waveforms)
            rounds.append(clock.take())
    for handle in handles:
        handle.remove()
    cost = macs(encoder.config, config_widths(encoder.config), setting.seconds)
    return Parts(
        # the first round pays for memory and kernels
        {name: statistics.median(r[name] for r in rounds[1:]) for name in NAMES},
        int(setting.batch * cost.cnn),
        int(setting.batch * cost.mha_ffn),
    )
