"""Write what a model understood in the form of SLURP's own evaluation.

predictions.jsonl has an object ``file, scenario, action, entities`` on each line, which
SLURP's scripts/evaluation/evaluate.py reads; the model's intent is scenario_action.
score_slurp.json has the two rates of that program that score_slu.json lacks: the
accuracy of scenarios and of actions (its micro-averaged F1 of them is the same).
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruneasr.data.datadir import read_table
from pruneasr.data.semantic_frames import SemanticFrame, read_frame, read_frames
from pruneasr.errors import in_a_line
from pruneasr.files import write_atomic
from pruneasr.scoring.errors import check_same_utterances


def prediction_of(audio: str, frame: SemanticFrame) -> dict[str, Any]:
    """Return what stands on a line for a recording."""
    scenario, _, action = frame.intent.partition("_")  # no scenario has a "_"
    return {
        "file": Path(audio).name,
        "scenario": scenario,
        "action": action,
        "entities": [{"type": name, "filler": value} for name, value in frame.slots],
    }


def accuracies(
    references: Mapping[str, dict[str, Any]], predictions: Mapping[str, dict[str, Any]]
) -> dict[str, float]:
    """Return ``scenario_accuracy`` and ``action_accuracy`` in percent."""
    return {
        f"{part}_accuracy": 100
        * sum(references[name][part] == predictions[name][part] for name in references)
        / len(references)
        for part in ("scenario", "action")
    }


@in_a_line
def main() -> None:
    """Read the options, write the predictions and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data/test")
    parser.add_argument("--hyp", type=Path, required=True, help="what was understood")
    parser.add_argument("--output", type=Path, required=True, help="receives the files")
    args = parser.parse_args()
    audio = read_table(args.data / "wav.scp")
    meant = read_frames(args.data / "text")
    understood = {name: read_frame(t) for name, t in read_table(args.hyp).items()}
    check_same_utterances(meant, understood)
    references, predictions = (
        {name: prediction_of(audio[name], frame) for name, frame in frames.items()}
        for frames in (meant, understood)
    )
    lines = [f"{json.dumps(item)}\n" for item in predictions.values()]
    write_atomic(args.output / "predictions.jsonl", "".join(lines))
    rates = accuracies(references, predictions)
    write_atomic(args.output / "score_slurp.json", json.dumps(rates, indent=2) + "\n")
    for name, value in rates.items():
        print(f"{name:>40} {value:.1f}")


if __name__ == "__main__":
    main()
