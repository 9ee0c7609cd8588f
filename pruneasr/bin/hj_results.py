"""Put a recipe's run_hj.sh into RESULTS_HJ.md, figures/hj*.png and model cards."""

from __future__ import annotations

from pathlib import Path

from pruneasr.bin.results_options import results_parser
from pruneasr.environment import read_calls
from pruneasr.errors import in_a_line
from pruneasr.results.collect import METRICS
from pruneasr.results.curves import (
    collect_points,
    curves_markdown,
    plot_against_macs,
    plot_against_time,
)
from pruneasr.results.speed import real_time_factors
from pruneasr.results.tuned_card import write_run_cards


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, collect, measure, write."""
    parser = results_parser("hj_results", str(__doc__))
    parser.add_argument(
        "--points",
        type=Path,
        required=True,
        help="exp/hj; holds commands, the recipe's calls",
    )
    args = parser.parse_args(argv)
    metric = METRICS[args.task][0]
    commands = read_calls(args.points / "commands")
    points = collect_points(args.points, args.test_sets, metric)
    runs = [run for point in points for run in point.runs]
    speeds = real_time_factors({run.encoder: run.encoder for run in runs}, args.audio)
    text = curves_markdown(args.title, commands, points, speeds, args.test_sets, metric)
    first, figures = args.test_sets[0], args.output / "figures"
    plot_against_macs(points, first, metric, figures / "hj.png")
    plot_against_time(points, speeds.factors, first, metric, figures / "hj_time.png")
    (args.output / "RESULTS_HJ.md").write_text(text, encoding="utf-8")
    print(text)
    write_run_cards(
        args.title, commands, runs, speeds.factors, args.test_sets, args.task, probes={}
    )


if __name__ == "__main__":
    main()
