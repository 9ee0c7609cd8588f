"""Print how far converted encoders are from their originals, as a Markdown table.

    python test/encoder/parity_table.py                 # tiny models, as in the tests
    python test/encoder/parity_table.py --published     # Base and Large as published

Weights are random; the numbers are the largest differences of any hidden state at any
valid frame. Published sizes take a quarter of an hour and 8 GB of memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import transformers

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest looks, too

from parity import CASES, FORMATS, convert
from reference_models import FAMILIES, PUBLISHED, SIZES, TINY, Shape, difference


def main() -> None:
    """Convert every case and print one row per family and size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--published", action="store_true", help="published sizes")
    published = parser.parse_args().published
    transformers.utils.logging.disable_progress_bar()
    print("| family | size | " + " | ".join(FORMATS) + " |")
    print("|---|---|" + "---|" * len(FORMATS))
    for family in FAMILIES:
        for size in SIZES:
            shape = PUBLISHED[size] if published else TINY
            cells = [cell(family, size, form, shape) for form in FORMATS]
            print(f"| {family} | {size} | " + " | ".join(cells) + " |", flush=True)


def cell(family: str, size: str, form: str, shape: Shape) -> str:
    """Return the larger of the differences alone and in a padded batch; - if none."""
    if (family, size, form) not in CASES:
        return "-"
    with tempfile.TemporaryDirectory() as directory:
        encoder, reference = convert(family, size, form, Path(directory), shape)
    worst = max(difference(encoder, reference, padded) for padded in (False, True))
    return f"{worst:.0e}"


if __name__ == "__main__":
    main()
