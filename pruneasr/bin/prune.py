"""Remove what gates have closed, exactly, and report what is left.

python -m pruneasr.bin.prune --experiment exp/distill --output exp/pruned
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from pruneasr.espnet.prune import prune_experiment
from pruneasr.pruning.report import markdown


def main(argv: list[str] | None = None) -> None:
    """Parse the command line, prune, print the report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--experiment", type=Path, required=True, help="finished training with gates"
    )
    parser.add_argument("--output", type=Path, required=True, help="encoder directory")
    parser.add_argument(
        "--multiple-of",
        type=int,
        default=1,
        help="keep multiples of it: channels, feed-forward widths, and the sums of "
        "the query and of the value widths of each block; 8 suits vector units",
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    print(markdown(prune_experiment(args.experiment, args.output, args.multiple_of)))


if __name__ == "__main__":
    main()
