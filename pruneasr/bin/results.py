"""Collect the experiments of a recipe into RESULTS.md and figures/.

    python -m pruneasr.bin.results --title "AN4" --expdir exp \
        --encoder teacher=exp/teacher --experiment teacher=exp/asr_teacher_seed1 \
        --test-sets test --audio data/test/wav.scp --output .
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pruneasr.bin.results_options import results_parser
from pruneasr.environment import read_calls
from pruneasr.errors import in_a_line
from pruneasr.results.collect import METRICS, collect
from pruneasr.results.speed import real_time_factors
from pruneasr.results.tuned_card import write_system_card
from pruneasr.results.write import (
    results_markdown,
    systems_section,
    update_readme,
    write_results,
)


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, collect, measure, write."""
    parser = results_parser("results", str(__doc__).split("\n")[0])
    parser.add_argument(
        "--expdir", type=Path, required=True, help="holds commands, the recipe's calls"
    )
    parser.add_argument(
        "--encoder", type=_named, action="append", required=True, metavar="NAME=DIR"
    )
    parser.add_argument(
        "--experiment", type=_named, action="append", required=True, metavar="NAME=DIR"
    )
    parser.add_argument(
        "--readme", type=Path, help="also put the table between the marks in this file"
    )
    parser.add_argument(
        "--card",
        action="store_true",
        help="also write the model card of the system pruned, beside its encoder",
    )
    args = parser.parse_args(argv)

    _write(args)


def _write(args: argparse.Namespace) -> None:
    commands = read_calls(args.expdir / "commands")
    encoders, metrics = dict(args.encoder), METRICS[args.task]
    unknown = sorted({name for name, _ in args.experiment} - encoders.keys())
    if unknown:
        raise ValueError(
            f"expected an --encoder NAME=DIR of every --experiment; found none of "
            f"{', '.join(unknown)}"
        )
    systems = [
        collect(
            name,
            encoder,
            [path for other, path in args.experiment if other == name],
            args.test_sets,
            metrics,
        )
        for name, encoder in encoders.items()
    ]
    speeds = real_time_factors(encoders, args.audio)
    table = systems_section(systems, speeds, args.test_sets, metrics, args.expdir)
    text = results_markdown(
        args.title, commands, systems, table, args.test_sets, metrics
    )
    write_results(text, systems, args.expdir, args.output)
    if args.readme is not None:
        update_readme(args.readme, args.title.split(":")[0], table)
    if args.card:
        write_system_card(args.title, commands, systems, table, args.task, args.expdir)
    print(text)


def _named(argument: str) -> tuple[str, Path]:
    name, separator, path = argument.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"expected NAME=DIR; found {argument}")
    return name, Path(path)


if __name__ == "__main__":
    main()
