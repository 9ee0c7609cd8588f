"""SUPERB: probes on frozen features, their metrics, and superb_s.

    python -m pruneasr.bin.superb score                 # [W23] Table 1, recomputed
    python -m pruneasr.bin.superb score --results FILE  # your own, on the official sets
    python -m pruneasr.bin.superb claim | features | train | decode --help
    python -m pruneasr.bin.superb evaluate | collect --help

egs/superb/run.sh calls the others in order.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pruneasr.data.datadir import read_table, write_table
from pruneasr.encoder import load_encoder
from pruneasr.environment import read_calls
from pruneasr.errors import in_a_line
from pruneasr.files import write_atomic
from pruneasr.superb.claim import claim_folder
from pruneasr.superb.collect import results_markdown
from pruneasr.superb.config import read_config
from pruneasr.superb.evaluate import read_texts
from pruneasr.superb.features import FeatureStore, extract
from pruneasr.superb.published import PUBLISHED
from pruneasr.superb.score import read_results, score_table
from pruneasr.superb.search import search
from pruneasr.superb.search_layers import search_layers, search_queries
from pruneasr.superb.tasks import TASKS
from pruneasr.superb.train import Sets, load_probe, predict


def claim(args: argparse.Namespace) -> None:
    """Note in a folder whose results it holds; refuse those of others."""
    claim_folder(args.encoder, args.output, args.config_dir)


def features(args: argparse.Namespace) -> None:
    """Encode a list of audio into a store."""
    encoder = load_encoder(args.encoder)
    count = extract(encoder, args.wav_scp, args.output, device=args.device)
    print(f"{args.output}: {count} utterances")


def train(args: argparse.Namespace) -> None:
    """Train a probe with every learning rate; QbE: try every layer."""
    store = FeatureStore(args.features)
    if TASKS[args.task].probe is None:
        result = search_layers(store, args.dev, args.output)
    else:
        sizes, training = read_config(args.config, args.task)
        result = search(
            args.task,
            Sets(store, args.train, args.dev),
            args.output,
            sizes=sizes,
            training=training,
            seed=args.seed,
            device=args.device,
        )
    print(f"{args.output}: chosen {result['chosen']}")


def decode(args: argparse.Namespace) -> None:
    """Write the predictions for a set by the probe, or the layer, that was chosen."""
    store = FeatureStore(args.features)
    path = args.experiment / "search.json"
    if not path.is_file():
        raise ValueError(f"expected {path}, found none; run the stage train first")
    chosen = json.loads(path.read_text(encoding="utf-8"))["chosen"]
    if TASKS[args.task].probe is None:
        predictions = search_queries(store, args.data, chosen["layer"])
    else:
        folder = args.experiment / f"lr{chosen['learning_rate']:g}"
        probe = load_probe(folder).to(args.device)
        predictions = predict(probe, store, list(read_texts(args.data)))
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_table(args.output, predictions)


def evaluate(args: argparse.Namespace) -> None:
    """Write score.json: the metrics of predictions."""
    predictions = read_table(args.predictions)
    metrics = TASKS[args.task].evaluate(args.data, predictions)
    result = {"task": args.task, "data": str(args.data), "metrics": metrics}
    write_atomic(args.output, json.dumps(result, indent=1) + "\n")
    print(result)


def collect(args: argparse.Namespace) -> None:
    """Write RESULTS.md of all encoders in a folder, and figures/ beside it."""
    commands = read_calls(args.commands)
    figures = args.output.parent / "figures"
    text = results_markdown(args.title, commands, args.exp, args.data, figures)
    write_atomic(args.output, text)
    print(text)


def score(args: argparse.Namespace) -> None:
    """Print superb_s with a column for each task."""
    if args.results is None:
        results = {name: row.metrics for name, row in PUBLISHED.items()}
        printed = {name: row.printed for name, row in PUBLISHED.items()}
        notes = {name: row.note for name, row in PUBLISHED.items()}
        print(score_table(results, printed, notes), end="")
    else:
        print(score_table(read_results(args.results), {}, {}), end="")


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.superb",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="name", required=True)
    options: dict[str, argparse.ArgumentParser] = {}
    for function in (claim, features, train, decode, evaluate, collect, score):
        name, about = function.__name__, function.__doc__
        options[name] = commands.add_parser(name, help=about, description=about)
        options[name].set_defaults(run=function)
    for name in ("train", "decode", "evaluate"):
        options[name].add_argument("--task", choices=TASKS, required=True)
    for name in ("train", "decode"):
        options[name].add_argument("--features", type=Path, required=True)
    for name in ("features", "train", "decode"):
        options[name].add_argument("--device", default="cpu", help="cpu or cuda")
    for name in ("decode", "evaluate", "collect"):
        options[name].add_argument("--data", type=Path, required=True)
    for name in ("claim", "features", "train", "decode", "evaluate", "collect"):
        options[name].add_argument("--output", type=Path, required=True)

    for name in ("claim", "features"):
        options[name].add_argument(
            "--encoder", type=Path, required=True, help="encoder directory"
        )
    options["claim"].add_argument(
        "--config-dir", type=Path, required=True, help="holds <task>.yaml"
    )
    options["features"].add_argument(
        "--wav-scp", type=Path, required=True, help="audio: all of a task, or a part"
    )
    add = options["train"].add_argument
    add("--config", type=Path, help="of the probe; QbE has none")
    add("--train", type=Path, help="data directory; QbE has none")
    add("--dev", type=Path, required=True, help="data directory")
    add("--seed", type=int, default=1)
    options["decode"].add_argument(
        "--experiment", type=Path, required=True, help="what train wrote"
    )
    options["evaluate"].add_argument("--predictions", type=Path, required=True)
    add = options["collect"].add_argument
    add("--exp", type=Path, required=True, help="holds a folder per encoder")
    add("--title", required=True)
    add("--commands", type=Path, required=True, help="file: what was called")
    options["score"].add_argument(
        "--results", type=Path, help="YAML: system: {ks_acc: 96.5, ...}, in percent"
    )
    return parser


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = get_parser()
    args = parser.parse_args(argv)
    if args.name == "train" and TASKS[args.task].probe is not None:
        missing = [n for n in ("config", "train") if getattr(args, n) is None]
        if missing:
            parser.error(f"{args.task} needs --{' and --'.join(missing)}")
    args.run(args)


if __name__ == "__main__":
    main()
