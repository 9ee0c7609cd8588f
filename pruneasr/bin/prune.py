"""Remove what gates have closed, exactly, and report what is left.

    python -m pruneasr.bin.prune --experiment exp/distill --output exp/pruned
        what a training with gates has closed
    python -m pruneasr.bin.prune --scores magnitude --teacher exp/teacher \
        --units qk vo ffn --target 0.8 --output exp/pruned
        the untrained baselines: the units of the smallest weights, or random ones
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from pruneasr.errors import in_a_line
from pruneasr.espnet.prune import prune_experiment
from pruneasr.pruning.constraint import DENOMINATORS
from pruneasr.pruning.prune import prune_by_scores
from pruneasr.pruning.report import markdown
from pruneasr.pruning.scores import SCORED_UNITS, SCORES


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, prune, print the report."""
    parser = _parser()
    args = parser.parse_args(argv)
    of_scores = {
        name: value
        for name in ("teacher", "units", "target", "denominator", "seed")
        if (value := getattr(args, name)) is not None
    }
    if args.scores and not {"teacher", "units", "target"} <= of_scores.keys():
        parser.error("--scores needs --teacher, --units and --target")
    if args.experiment and of_scores:
        parser.error(
            f"--{next(iter(of_scores))} goes with --scores; an experiment has its own"
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    report = _prune(args, of_scores)
    print(markdown(report))


def _prune(args: argparse.Namespace, of_scores: dict[str, Any]) -> dict[str, Any]:
    if args.experiment:
        return prune_experiment(args.experiment, args.output, args.multiple_of)
    return prune_by_scores(
        output=args.output,
        scores=args.scores,
        multiple_of=args.multiple_of,
        **{"seed": 1, **of_scores},
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--experiment", type=Path, help="finished training with gates")
    what.add_argument("--scores", choices=sorted(SCORES), help="what ranks the units")
    parser.add_argument("--output", type=Path, required=True, help="encoder directory")
    parser.add_argument(
        "--multiple-of",
        type=int,
        default=1,
        help="keep multiples of it: channels, feed-forward widths, and the sums of "
        "the query and of the value widths of each block; 8 suits vector units",
    )
    group = parser.add_argument_group("with --scores")
    group.add_argument("--teacher", type=Path, help="encoder directory")
    group.add_argument("--units", nargs="+", choices=SCORED_UNITS)
    group.add_argument("--target", type=float, help="share of the parameters to remove")
    group.add_argument(
        "--denominator", choices=DENOMINATORS, help="of which parts (mha_ffn)"
    )
    group.add_argument("--seed", type=int, help="of random scores (1)")
    return parser


if __name__ == "__main__":
    main()
