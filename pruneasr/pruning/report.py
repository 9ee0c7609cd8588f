"""What a pruning left: numbers as JSON and Markdown, and two figures.

``structure.png`` shows what is left in every layer; ``history.png`` the gates' means
and the sparsity over the training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pruneasr.encoder import EncoderConfig
from pruneasr.figure import pyplot, save_figure
from pruneasr.markdown import markdown_table
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.cost import Cost, macs, parameters
from pruneasr.pruning.latency import latency
from pruneasr.pruning.widths import Number, Widths, config_widths

# statistics by epoch: name -> values
History = Mapping[str, list[float]]


def summarize(
    dense: EncoderConfig,
    removed: EncoderConfig,
    expected: Widths,
    constraint: Constraint,
    distance: float,
) -> dict[str, Any]:
    """Return the report of one removal as JSON types.

    Args:
        dense: architecture before.
        removed: architecture after.
        expected: expected widths at the end of the training.
        constraint: what was aimed at.
        distance: largest difference between the masked and the removed model.
    """
    before, after = config_widths(dense), config_widths(removed)
    sparsities: dict[str, Mapping[str, Number]] = {
        "target": constraint.targets,
        "expected": constraint.sparsity(expected),
        "actual": constraint.sparsity(after),
    }
    seconds = constraint.reference_sec
    costs = {
        "parameters": _parts(parameters(dense, before), parameters(removed, after)),
        "macs": _parts(macs(dense, before, seconds), macs(removed, after, seconds)),
    }
    if constraint.table is not None:
        costs["ms"] = _parts(
            latency(constraint.table, before), latency(constraint.table, after)
        )
    return {
        "constraint": constraint.kind,
        "denominator": constraint.denominator,
        "reference_sec": seconds,
        "latency_table": None if constraint.table is None else str(constraint.table),
        "sparsity": {
            name: {term: float(value) for term, value in terms.items()}
            for name, terms in sparsities.items()
        },
        **costs,
        "masked_minus_removed": distance,
        "channels": list(after.channels),
        "blocks": [
            {
                "heads": [[head.index, head.qk, head.vo] for head in block.heads],
                "ffn": block.ffn,
                "attention": block.attention,
                "feed_forward": block.feed_forward,
            }
            for block in removed.blocks
        ],
    }


def markdown(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown tables."""
    table, difference = report["latency_table"], report["masked_minus_removed"]
    return "\n".join(
        [
            f"Constraint {report['constraint']}; MACs for {report['reference_sec']:g} s"
            + (f"; ms for {table}.\n" if table else ".\n"),
            _sparsity_table(report["sparsity"], report["denominator"]),
            _cost_table(report),
            _block_table(report["blocks"]),
            f"Channels of the convolutions: {report['channels']}\n",
            f"Largest difference of masked and removed model: {difference:.1e}\n",
        ]
    )


def _sparsity_table(sparsity: Mapping[str, Any], denominator: str) -> str:
    names = ("target", "expected", "actual")
    rows = [
        [
            f"{term} ({denominator})" if term == "size" else term,
            *(f"{sparsity[name][term]:.4f}" for name in names),
        ]
        for term in sparsity["target"]
    ]
    return markdown_table(["sparsity", *names], rows)


def _cost_table(report: Mapping[str, Any]) -> str:
    rows = [
        [cost, part, f"{dense:,}", f"{left:,}", f"{100 * left / dense:.1f}"]
        for cost in ("parameters", "macs", "ms")
        for part, (dense, left) in report.get(cost, {}).items()
    ]
    return markdown_table(["cost", "part", "dense", "left", "left %"], rows, 2)


def _block_table(blocks: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for i, block in enumerate(blocks, 1):
        heads = ", ".join(f"{index}: {qk} x {vo}" for index, qk, vo in block["heads"])
        absent = "none" if block["attention"] else "absent"
        ffn = str(block["ffn"]) if block["feed_forward"] else "absent"
        rows.append([str(i), heads or absent, ffn])
    return markdown_table(["block", "heads (qk x vo)", "ffn"], rows, 2)


def write_report(
    report: Mapping[str, Any], dense: EncoderConfig, history: History, output: Path
) -> None:
    """Write report.json, report.md, structure.png and history.png to a directory."""
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1) + "\n"
    (output / "report.json").write_text(text, encoding="utf-8")
    (output / "report.md").write_text(markdown(report), encoding="utf-8")
    plot_structure(report, dense, output / "structure.png")
    plot_history(history, output / "history.png")


def plot_structure(report: Mapping[str, Any], dense: EncoderConfig, path: Path) -> None:
    """Draw the share of channels, qk, vo and ffn left in every layer."""
    plt = pyplot()
    before = config_widths(dense)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.2), gridspec_kw={"width_ratios": [1, 2]}
    )
    shares = [
        100 * n / d for n, d in zip(report["channels"], before.channels, strict=True)
    ]
    left.bar(range(1, len(shares) + 1), shares, color="tab:gray")
    left.set(title="convolutions", xlabel="layer", ylabel="% left", ylim=(0, 105))
    width = 0.27
    for k, name in enumerate(("qk", "vo", "ffn")):
        values = [
            block["ffn"]
            if name == "ffn"
            else sum(head[k + 1] for head in block["heads"])
            for block in report["blocks"]
        ]
        dense_values = [getattr(block, name) or 1 for block in before.blocks]
        right.bar(
            [i + 1 + (k - 1) * width for i in range(len(values))],
            [100 * v / d for v, d in zip(values, dense_values, strict=True)],
            width,
            label=name,
        )
    right.set(title="blocks", xlabel="block", ylim=(0, 105))
    right.legend()
    save_figure(figure, path)


def plot_history(history: History, path: Path) -> None:
    """Draw the sparsities and the means of the gates by epoch."""
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharex=True)
    for name, values in sorted(history.items()):
        epochs = range(1, len(values) + 1)
        if "sparsity" in name:
            style = "--" if name.startswith("target") else "-"
            axes[0].plot(epochs, values, style, label=name)
        elif name.startswith("gate_"):
            axes[1].plot(epochs, values, label=name)
    axes[0].set(title="sparsity", xlabel="epoch")
    axes[1].set(title="mean of the gates", xlabel="epoch", ylim=(0, 1.05))
    for axis in axes:
        if axis.lines:
            axis.legend(fontsize=8)
    save_figure(figure, path)


def _parts(dense: Cost, left: Cost) -> dict[str, list[float]]:
    """Return counts, or milliseconds to a thousandth."""
    return {
        part: [round(getattr(cost, part), 3) for cost in (dense, left)]
        for part in ("total", "cnn", "mha_ffn", "rest")
    }
