"""Put the slots of a corpus whose labels have no order into the order of speech.

    python -m pruneasr.bin.order_slots --encoder exp/teacher --train data/train \
        data/train data/dev

The ``text`` of each directory is written anew; what is in order already stays so.
"""

from __future__ import annotations

import argparse
import functools
import logging
from pathlib import Path

from pruneasr.encoder import load_encoder
from pruneasr.errors import in_a_line
from pruneasr.readout.ordered_sets import MIN_AUC, order_sets
from pruneasr.superb.features import encode_all


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line and put slots in order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "data", nargs="+", type=Path, help="directories to put in order"
    )
    parser.add_argument("--train", type=Path, required=True, help="to learn words from")
    parser.add_argument("--encoder", required=True, help="encoder directory")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--min-auc",
        type=float,
        default=MIN_AUC,
        help="of words in directories other than --train; below, nothing is written",
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    encode = functools.partial(encode_all, load_encoder(args.encoder).eval())
    order_sets(args.data, args.train, encode, seed=args.seed, min_auc=args.min_auc)


if __name__ == "__main__":
    main()
