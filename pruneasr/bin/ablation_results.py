"""Put a recipe's run_ablation.sh into RESULTS_ABLATION.md and figures/."""

from __future__ import annotations

import argparse
from pathlib import Path

from pruneasr.bin.results_options import results_parser
from pruneasr.environment import read_calls
from pruneasr.errors import in_a_line
from pruneasr.espnet.prune import read_history
from pruneasr.results.ablation import ablation_markdown, collect_variants
from pruneasr.results.ablation_figures import STE, plot_all
from pruneasr.results.collect import METRICS
from pruneasr.results.probed import probes_section, read_probes
from pruneasr.results.speed import real_time_factors


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
    commands = read_calls(args.points / "commands")
    probes = read_probes(run for runs in variants.values() for run in runs)
    figures = args.output / "figures"
    histories = {
        variant: [read_history(run.folder / "distill") for run in variants[variant]]
        for variant in STE
        if variant in variants
    }
    plot_all(variants, histories, args.test_sets[0], metric, figures)
    encoders = {run.encoder: run.encoder for runs in variants.values() for run in runs}
    speeds = real_time_factors(encoders, args.audio)
    text = ablation_markdown(
        args.title, commands, variants, speeds, args.test_sets, metric, probes
    )
    if probes:
        section = probes_section(variants, probes, figures / "ablation_scores.png")
        text += f"\n{section}"
    (args.output / "RESULTS_ABLATION.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
