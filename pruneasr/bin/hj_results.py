"""Put the curves of a recipe's run_hj.sh into RESULTS_HJ.md and figures/hj.png."""

from __future__ import annotations

import argparse
from pathlib import Path

from pruneasr.results.collect import METRICS
from pruneasr.results.curves import collect_points, curves_markdown, plot_curves


def main(argv: list[str] | None = None) -> None:
    """Parse the command line, collect, write."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.hj_results", description=__doc__
    )
    parser.add_argument("--title", required=True)
    parser.add_argument("--task", choices=METRICS, default="asr")
    parser.add_argument("--points", type=Path, required=True, help="exp/hj")
    parser.add_argument("--dense", type=Path, required=True, help="the teacher")
    parser.add_argument("--test-sets", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    metric = METRICS[args.task][0]
    try:
        points = collect_points(args.points, args.dense, args.test_sets, metric)
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    text = curves_markdown(args.title, points, args.test_sets, metric)
    plot_curves(points, args.test_sets[0], metric, args.output / "figures" / "hj.png")
    (args.output / "RESULTS_HJ.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
