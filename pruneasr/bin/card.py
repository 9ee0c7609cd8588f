"""Write the model card of an encoder beside it: README.md, card.html and figures/.

    cd egs/an4/asr1
    python -m pruneasr.bin.card --encoder exp/pruned --title "AN4: pruning alone"
    ... --commands exp/commands                    with the recipe's calls
    ... --superb ../../superb/exp/NAME             with the scores of its probes
    ... --experiment exp/asr_pruned_seed1          with the errors of its fine-tunings

In the folder of the recipe, for the encoder's trainings and data are found by the paths
that they noted. The reports of run.sh, run_hj.sh and run_ablation.sh write the cards of
the encoders that they pruned, without the probes of run.sh's.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from pruneasr.environment import read_calls
from pruneasr.errors import in_a_line
from pruneasr.results.card import weights_digest, write_card
from pruneasr.results.collect import METRICS, collect
from pruneasr.results.tuned_card import experiments_section, hub_scores
from pruneasr.superb.collect import encoder_section


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line and write the card."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.card",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--encoder", type=Path, required=True, help="encoder directory")
    add("--title", required=True, help="corpus, a colon, what was done")
    add("--commands", type=Path, help="file with the recipe's calls")
    add("--superb", type=Path, help="its folder in the exp of egs/superb")
    add(
        "--superb-data",
        type=Path,
        default=Path("../../superb/data"),
        help="the sets of these probes (%(default)s)",
    )
    add("--experiment", type=Path, nargs="+", help="fine-tunings of it, scored")
    add("--task", choices=METRICS, default="asr", help="of these fine-tunings")
    add("--test-sets", nargs="+", default=["test"], help="what they decoded")
    args = parser.parse_args(argv)
    _write(args, sys.argv[1:] if argv is None else argv)


def _write(args: argparse.Namespace, argv: list[str]) -> None:
    sections, scores = [], []
    if args.experiment is not None:
        system = collect(
            "pruned", args.encoder, args.experiment, args.test_sets, METRICS[args.task]
        )
        sections.append(experiments_section(args.task, system))
        scores = hub_scores(args.title, args.task, system)
    if args.superb is not None:
        digest = weights_digest(args.encoder)
        sections.append(encoder_section(args.superb, digest, args.superb_data))
    calls = [] if args.commands is None else read_calls(args.commands)
    calls.append(f"python -m pruneasr.bin.card {shlex.join(argv)}")
    write_card(
        args.encoder,
        args.title,
        calls,
        sections=sections,
        tuned=args.experiment or [],
        scores=scores,
    )
    print(f"{args.encoder}/README.md, {args.encoder}/card.html")


if __name__ == "__main__":
    main()
