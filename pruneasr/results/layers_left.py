"""What the variants of an ablation leave in every block, and which encoders are one."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from pruneasr.encoder.checkpoint import WEIGHTS_NAME
from pruneasr.encoder.interop.files import file_digests
from pruneasr.markdown import markdown_table
from pruneasr.pruning.widths import BlockWidths
from pruneasr.results.runs import Run

# Branch of a block, as reports call it, and whether a block has something left in it
BRANCHES = {
    "MHA": lambda block: bool(block.attention and block.heads),
    "FFN": lambda block: bool(block.feed_forward and block.ffn),
}


def num_branches(run: Run) -> int:
    """Return how many attention and feed-forward branches have something left."""
    return sum(left(block) for block in run.widths.blocks for left in BRANCHES.values())


def layers_section(variants: Mapping[str, Sequence[Run]], of: str) -> str:
    """Return the table of the dimensions left, and which branches one variant keeps.

    Args:
        variants: name -> runs.
        of: the variant that is told about in words.
    """
    num_blocks = max(
        len(run.widths.blocks) for runs in variants.values() for run in runs
    )
    columns = ["variant", *(f"block {i + 1}" for i in range(num_blocks))]
    rows = [
        [variant, *_cells([run.widths.blocks for run in runs], num_blocks)]
        for variant, runs in variants.items()
    ]
    note = (
        "Query-key / value-output / inner feed-forward dimensions, mean over the "
        "seeds; `-`: no such block in the student.\n"
    )
    return "\n".join(
        [
            "## What is left in every block\n",
            markdown_table(columns, rows),
            note,
            *_survival(of, variants[of]),
            "",
        ]
    )


def same_encoders(runs: Sequence[Run]) -> list[list[str]]:
    """Return the names of runs whose encoders are equal bit for bit, in groups.

    Those that share a directory, as the fine-tunings of one teacher, count once.
    """
    first = {run.encoder: run.folder.name for run in reversed(runs)}
    groups: dict[str, list[str]] = {}
    for run in runs:
        if run.folder.name == first[run.encoder]:
            digest = file_digests([run.encoder / WEIGHTS_NAME])[WEIGHTS_NAME]
            groups.setdefault(digest, []).append(run.folder.name)
    return [names for names in groups.values() if len(names) > 1]


def _cells(runs: Sequence[Sequence[BlockWidths]], num_blocks: int) -> list[str]:
    cells = []
    for i in range(num_blocks):
        blocks = [run[i] for run in runs if i < len(run)]
        means = [
            f"{statistics.fmean(float(getattr(block, kind)) for block in blocks):.0f}"
            for kind in ("qk", "vo", "ffn")
            if blocks
        ]
        cells.append(" / ".join(means) or "-")
    return cells


def _survival(variant: str, runs: Sequence[Run]) -> list[str]:
    """Say which branches all runs keep, and which all of them lose."""
    lines = []
    for branch, left in BRANCHES.items():
        kept = [[left(block) for block in run.widths.blocks] for run in runs]
        by_block = list(enumerate(zip(*kept, strict=True), start=1))
        always = [str(i) for i, found in by_block if all(found)]
        never = [str(i) for i, found in by_block if not any(found)]
        lines.append(
            f"- {branch} of `{variant}`: left in all seeds in blocks "
            f"{' '.join(always) or 'none'}, gone in all in {' '.join(never) or 'none'}"
        )
    return lines
