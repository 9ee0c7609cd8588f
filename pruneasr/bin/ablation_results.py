"""Put a recipe's run_ablation.sh into RESULTS_ABLATION.md and figures/."""

from __future__ import annotations

import argparse
from pathlib import Path

from pruneasr.espnet.prune import read_history
from pruneasr.results.ablation import (
    STE,
    Variants,
    ablation_markdown,
    collect_variants,
    plot_errors,
    plot_gates,
    plot_layers,
)
from pruneasr.results.collect import METRICS, Metric
from pruneasr.results.speed import real_time_factors


def main(argv: list[str] | None = None) -> None:
    """Parse the command line, collect, measure, write."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.ablation_results", description=__doc__
    )
    parser.add_argument("--title", required=True)
    parser.add_argument("--task", choices=METRICS, default="asr")
    parser.add_argument("--points", type=Path, required=True, help="exp/ablation")
    parser.add_argument("--test-sets", nargs="+", required=True)
    parser.add_argument("--audio", type=Path, required=True, help="wav.scp to time on")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    metric = METRICS[args.task][0]
    try:
        variants = collect_variants(args.points, args.test_sets, metric)
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    encoders = {run.encoder for runs in variants.values() for run in runs}
    named = {str(encoder): encoder for encoder in sorted(encoders)}
    factors = real_time_factors(named, args.audio)
    speeds = {named[name]: factor for name, factor in factors.items()}
    text = ablation_markdown(args.title, variants, speeds, args.test_sets, metric)
    _plot(variants, args.test_sets[0], metric, args.output / "figures")
    (args.output / "RESULTS_ABLATION.md").write_text(text, encoding="utf-8")
    print(text)


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
