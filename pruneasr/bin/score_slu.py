"""Score understood utterances: intent accuracy, slot F1, SLU-F1, joint accuracy.

Reads lines of `utterance intent slot:value ...`, writes score_slu.json, and prints
the rates.
"""

import argparse
import json
from pathlib import Path

from pruneasr.data.datadir import read_table
from pruneasr.data.semantic_frames import read_frame, read_frames
from pruneasr.errors import in_a_line
from pruneasr.files import write_atomic
from pruneasr.scoring.semantic_frames import score_frames


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.score_slu", description=__doc__
    )
    parser.add_argument(
        "--ref", type=Path, required=True, help="what was meant: data/test/text"
    )
    parser.add_argument(
        "--hyp", type=Path, required=True, help="what was understood of each of them"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder that receives score_slu.json"
    )
    return parser


@in_a_line
def main() -> None:
    """Run the command line."""
    parser = get_parser()
    args = parser.parse_args()
    hypotheses = {name: read_frame(t) for name, t in read_table(args.hyp).items()}
    scores = score_frames(read_frames(args.ref), hypotheses)
    args.output.mkdir(parents=True, exist_ok=True)
    write_atomic(args.output / "score_slu.json", json.dumps(scores, indent=2) + "\n")
    for name, value in scores.items():
        print(f"{name:>40} {value:.1f}")


if __name__ == "__main__":
    main()
