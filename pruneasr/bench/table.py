"""Rows of a measurement as Markdown, JSON and a figure."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from pruneasr.bench.measure import Row
from pruneasr.figure import pyplot, save_figure
from pruneasr.markdown import markdown_table

# What a row is compared with, in the order of the columns
ORDER = ("torchaudio", "transformers")


def markdown(rows: Sequence[Row]) -> str:
    """Return a table with one line per model, and which of them ran otherwise."""
    compared = sorted(
        rows[0].faster, key=lambda n: ORDER.index(n) if n in ORDER else len(ORDER)
    )
    columns = [
        "model",
        "params M",
        "MACs G",
        "ms",
        "5-95 %",
        "RTF",
        "peak MB",
        "GMAC/s",
    ]
    columns += [f"x {name}" for name in compared]
    lines = []
    for row in rows:
        low, high = 1000 * row.quantile(0.05), 1000 * row.quantile(0.95)
        cells = [
            row.name,
            f"{row.parameters / 1e6:.2f}",
            f"{row.macs / 1e9:.2f}",
            f"{1000 * row.median:.0f}",
            f"{low:.0f}-{high:.0f}",
            f"{row.median / row.audio_sec:.4f}",
            f"{row.peak_bytes / 1e6:.0f}",
            f"{row.macs_per_sec / 1e9:.1f}",
        ]
        cells += [f"{row.faster[name]:.2f}" for name in compared]
        lines.append(cells)
    table = markdown_table(columns, lines)
    eager = [row.name for row in rows if row.backend == "eager"]
    if len(eager) in (0, len(rows)):
        return table
    return f"{table}\nRun by torch, eager: {', '.join(eager)}.\n"


def as_json(rows: Sequence[Row], setting: str) -> dict[str, Any]:
    """Return everything that was measured as JSON types."""
    return {
        "setting": setting,
        "machine": machine(),
        "rows": [
            {
                **dataclasses.asdict(row),
                "median_sec": row.median,
                "rtf": row.median / row.audio_sec,
                "macs_per_sec": row.macs_per_sec,
            }
            for row in rows
        ],
    }


def machine() -> str:
    """Name the processor, its vector instructions, and torch's version."""
    fields = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    capability = torch.backends.cpu.get_cpu_capability()
    name = fields[0] if fields else platform.machine()
    return f"{name}, {len(fields)} cores, {capability}, torch {torch.__version__}"


def plot(tables: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Draw time against MACs, one series per setting."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(6, 4))
    for setting, rows in tables.items():
        axes.scatter(
            [row.macs / 1e9 for row in rows],
            [row.median for row in rows],
            label=setting,
        )
        for row in rows:
            axes.annotate(row.name, (row.macs / 1e9, row.median), fontsize=7)
    axes.set(xlabel="MACs G", ylabel="seconds", xlim=(0, None), ylim=(0, None))
    axes.legend(fontsize=7)
    save_figure(figure, path)
