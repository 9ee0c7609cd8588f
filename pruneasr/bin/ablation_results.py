"""Put a recipe's run_ablation.sh into RESULTS_ABLATION.md and figures/."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean

from pruneasr.bin.results_options import results_parser
from pruneasr.errors import in_a_line
from pruneasr.espnet.prune import read_history
from pruneasr.results.ablation import Variants, ablation_markdown, collect_variants
from pruneasr.results.ablation_figures import STE, plot_errors, plot_gates, plot_layers
from pruneasr.results.collect import METRICS, Metric
from pruneasr.results.environment import read_calls
from pruneasr.results.runs import Run
from pruneasr.results.speed import real_time_factors
from pruneasr.superb.collect import read_scores
from pruneasr.superb.figure import Probed, scores_section
from pruneasr.superb.published import METRICS as PROBE_METRICS

SCORES_FIGURE = "ablation_scores.png"


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
    _plot(variants, args.test_sets[0], metric, figures)
    encoders = {run.encoder: run.encoder for runs in variants.values() for run in runs}
    factors = real_time_factors(encoders, args.audio)
    text = ablation_markdown(
        args.title, commands, variants, factors, args.test_sets, metric, probes
    )
    if probes:
        scores = scores_section(_probed(variants, probes), figures / SCORES_FIGURE)
        text += f"\n{scores}"
    (args.output / "RESULTS_ABLATION.md").write_text(text, encoding="utf-8")
    print(text)


def read_probes(runs: Iterable[Run]) -> dict[str, dict[Path, float]]:
    """Return metric of SUPERB -> folder of a run -> percent, where a probe is done.

    Raises:
        ValueError: A probe that is marked as done has left no score.
    """
    probes: dict[str, dict[Path, float]] = {name: {} for name in PROBE_METRICS}
    for folder in (run.folder for run in runs):
        scores = read_scores(folder / "probes" / folder.name)
        for name, task in PROBE_METRICS.items():
            marker = folder / f".probed_{task}"
            if not marker.exists():
                continue
            if name not in scores:
                raise ValueError(
                    f"expected {name} below {folder}/probes, for {marker} says that it "
                    f"is there; remove {marker} and probe again"
                )
            probes[name][folder] = fmean(scores[name].values())
    return {name: values for name, values in probes.items() if values}


def _probed(
    variants: Variants, probes: Mapping[str, Mapping[Path, float]]
) -> dict[str, list[Probed]]:
    """Return the runs that any probe was trained on, by variant."""
    found: dict[str, list[Probed]] = {}
    for variant, runs in variants.items():
        for run in runs:
            metrics = {n: v[run.folder] for n, v in probes.items() if run.folder in v}
            if metrics:
                one = Probed(run.num_parameters / 1e6, metrics)
                found.setdefault(variant, []).append(one)
    return found


def _plot(variants: Variants, test_set: str, metric: Metric, figures: Path) -> None:
    histories = {
        variant: [read_history(run.folder / "distill") for run in variants[variant]]
        for variant in STE
        if variant in variants
    }
    plot_gates(histories, figures / "ablation_gates.png")
    plot_layers(variants, figures / "ablation_layers.png")
    plot_errors(variants, test_set, metric, figures / "ablation_errors.png")


if __name__ == "__main__":
    main()
