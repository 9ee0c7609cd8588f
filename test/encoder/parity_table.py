"""Print how far converted encoders are from their originals, as a Markdown table.

    python test/encoder/parity_table.py

The models are tiny and their weights random; the numbers are the largest differences of
any hidden state at any valid frame.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import transformers

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest looks, too

from parity import CASES, FORMATS, convert
from reference_models import FAMILIES, SIZES, difference


def main() -> None:
    """Convert every case and print one row per family and size."""
    transformers.utils.logging.disable_progress_bar()
    print("| family | size | " + " | ".join(FORMATS) + " |")
    print("|---|---|" + "---|" * len(FORMATS))
    for family in FAMILIES:
        for size in SIZES:
            cells = [cell(family, size, form) for form in FORMATS]
            print(f"| {family} | {size} | " + " | ".join(cells) + " |")


def cell(family: str, size: str, form: str) -> str:
    """Return the larger of the differences alone and in a padded batch."""
    if (family, size, form) not in CASES:
        return "-"
    with tempfile.TemporaryDirectory() as directory:
        encoder, reference = convert(family, size, form, Path(directory))
    worst = max(difference(encoder, reference, padded) for padded in (False, True))
    return f"{worst:.0e}"


if __name__ == "__main__":
    main()
