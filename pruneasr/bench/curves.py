"""Cost against length, batch and model size, for dense and pruned encoders.

Every point is an ordinary measurement (``bench.measure``); here are the points, the
tables that put them side by side, and the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pruneasr.bench.measure import Row, Setting
from pruneasr.bench.shapes import SHAPES, draw_config
from pruneasr.encoder import Encoder, EncoderConfig, dense_config
from pruneasr.encoder.initialize import random_encoder
from pruneasr.figure import pyplot, save_figure
from pruneasr.markdown import markdown_table

LENGTHS_SEC = (1, 2, 5, 10, 20, 30, 60)
BATCHES = (1, 2, 4, 8, 16)
BATCH_SEC = 5
# Chen et al. 2022, section IV-A; the fields in which Large differs from Base
LARGE: dict[str, Any] = {
    "dim": 1024,
    "num_heads": 16,
    "ffn": 4096,
    "num_blocks": 24,
    "conv_norm": "layer_norm",
    "norm_first": True,
    "normalize_waveform": True,
}
# Rounds of a point: as many as encode so much audio, within limits; long inputs take
# long, and vary less
AUDIO_SEC = 40.0
LEAST_ROUNDS, MOST_ROUNDS = 2, 20
# Column of a table -> rows of that point
Points = Mapping[str, Sequence[Row]]


def point(seconds: float, batch: int = 1) -> Setting:
    """Return the setting of a point of a curve, eager and float32."""
    rounds = round(AUDIO_SEC / (seconds * batch))
    repeats = min(max(rounds, LEAST_ROUNDS), MOST_ROUNDS)
    return Setting(seconds=float(seconds), batch=batch, repeats=repeats)


def random_encoders(dense: EncoderConfig) -> dict[str, Encoder]:
    """Return a dense encoder and all pruned shapes of it, with random weights."""
    configs = {"dense": dense}
    configs |= {name: draw_config(s, dense=dense) for name, s in SHAPES.items()}
    return {name: random_encoder(c, seed=0).eval() for name, c in configs.items()}


def large_config() -> EncoderConfig:
    """Return WavLM Large."""
    return dense_config("wavlm", **LARGE)


def curve_tables(points: Points) -> str:
    """Return milliseconds, MAC/s and peak memory of every model at every point."""
    return "\n".join(
        (
            _table("ms", points, lambda row: f"{1000 * row.median:.0f}"),
            _table("GMAC/s", points, lambda row: f"{row.macs_per_sec / 1e9:.0f}"),
            _table("peak MB", points, lambda row: f"{row.peak_bytes / 1e6:.0f}"),
        )
    )


def _table(what: str, points: Points, cell: Callable[[Row], str]) -> str:
    cells: dict[str, dict[str, str]] = {}
    for column, rows in points.items():
        for row in rows:
            cells.setdefault(row.name, {})[column] = cell(row)
    lines = [[n, *(found.get(c, "-") for c in points)] for n, found in cells.items()]
    return markdown_table([what, *points], lines)


def plot_lengths(points: Mapping[float, Sequence[Row]], path: Path) -> None:
    """Draw time against length, both logarithmic, one line per model."""
    plt = pyplot()
    lines: dict[str, list[tuple[float, float]]] = {}
    for seconds, rows in points.items():
        for row in rows:
            lines.setdefault(row.name, []).append((seconds, row.median))
    figure, axes = plt.subplots(figsize=(6, 4))
    for name, values in lines.items():
        axes.loglog(*zip(*values, strict=True), marker="o", label=name)
    axes.set(xlabel="length of the utterance, s", ylabel="seconds")
    axes.set_xticks(list(points), [f"{seconds:g}" for seconds in points])
    axes.minorticks_off()
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
    save_figure(figure, path)
