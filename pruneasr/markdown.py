"""Tables in Markdown, the same in every report."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], num_left: int = 1
) -> str:
    """Return a table of text, the first ``num_left`` columns left, the others right."""
    rule = ["---"] * num_left + ["---:"] * (len(columns) - num_left)
    lines = ["| " + " | ".join(cells) + " |" for cells in (columns, *rows)]
    lines.insert(1, "|" + "|".join(rule) + "|")
    return "\n".join(lines) + "\n"
