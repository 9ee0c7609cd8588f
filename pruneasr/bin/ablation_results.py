"""Put a recipe's run_ablation.sh into RESULTS_ABLATION.md, figures/ and model cards."""

from __future__ import annotations

import argparse
from pathlib import Path

from pruneasr.bin.results_options import results_parser
from pruneasr.environment import read_calls
from pruneasr.errors import in_a_line
from pruneasr.espnet.prune import read_history
from pruneasr.results.ablation import ablation_markdown, collect_variants
from pruneasr.results.ablation_figures import STE, plot_errors, plot_pruning
from pruneasr.results.collect import METRICS
from pruneasr.results.probed import probes_section, read_probes
from pruneasr.results.speed import real_time_factors
from pruneasr.results.tuned_card import write_run_cards


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, collect, measure, write."""
    parser = results_parser("ablation_results", str(__doc__))
    parser.add_argument(
        "--points",
        type=Path,
        required=True,
        help="exp/ablation; holds commands, the recipe's calls",
    )
    args = parser.parse_args(argv)
    _write(args)


def _write(args: argparse.Namespace) -> None:
    metric = METRICS[args.task][0]
    variants = collect_variants(args.points, args.test_sets, metric)
    runs = [run for of_it in variants.values() for run in of_it]
    commands = read_calls(args.points / "commands")
    probes = read_probes(runs)
    figures = args.output / "figures"
    histories = {
        variant: [read_history(run.folder / "distill") for run in variants[variant]]
        for variant in STE
        if variant in variants
    }
    plot_pruning(variants, histories, figures)
    speeds = real_time_factors({run.encoder: run.encoder for run in runs}, args.audio)
    path = figures / "ablation_errors.png"
    plot_errors(variants, speeds.factors, args.test_sets[0], metric, path)
    text = ablation_markdown(
        args.title, commands, variants, speeds, args.test_sets, metric, probes
    )
    if probes:
        section = probes_section(variants, probes, figures / "ablation_scores.png")
        text += f"\n{section}"
    (args.output / "RESULTS_ABLATION.md").write_text(text, encoding="utf-8")
    print(text)
    write_run_cards(
        args.title, commands, runs, speeds.factors, args.test_sets, args.task, probes
    )


if __name__ == "__main__":
    main()
