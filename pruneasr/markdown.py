"""Tables in Markdown, the same in every report."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of text, the first column left, the others right."""
    rule = ["---"] + ["---:"] * (len(columns) - 1)
    lines = ["| " + " | ".join(cells) + " |" for cells in (columns, *rows)]
    lines.insert(1, "|" + "|".join(rule) + "|")
    return "\n".join(lines) + "\n"
