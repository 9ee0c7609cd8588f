"""Measure encoders beside torchaudio's and transformers' in one process.

    python -m pruneasr.bin.bench exp/teacher exp/pruned exp/recover/encoder
    python -m pruneasr.bin.bench --data data/dev_clean exp/teacher exp/pruned
    python -m pruneasr.bin.bench --training exp/teacher --batch 8 --seconds 5
    python -m pruneasr.bin.bench --int8 exp/recover/encoder --data data/dev
    python -m pruneasr.bin.bench --report pruneasr/bench --readme README.md
    python -m pruneasr.bin.bench --report DIR --int8 exp/recover/encoder --data DATA

The first directory is the dense model that the others are compared with. A report takes
a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import BACKENDS, DTYPES
from pruneasr.bench.measure import Setting, measure
from pruneasr.bench.quantization import loss_on_data
from pruneasr.bench.report import MAIN, write_report
from pruneasr.bench.table import as_json, markdown, plot
from pruneasr.bench.timing import read_audio, use_device
from pruneasr.bench.training import training_table, training_times
from pruneasr.encoder import load_encoder
from pruneasr.errors import in_a_line
from pruneasr.results.write import update_readme

# [W23] Table 2: features of a whole set, batch size 1, five runs
PASSES = 5


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "encoders", nargs="*", metavar="DIR", help="the dense one first"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--backend", choices=BACKENDS, default="eager")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10.0, help="of an utterance")
    parser.add_argument("--repeats", type=int, help="rounds; 15, with --data 5")
    parser.add_argument("--data", type=Path, help="Kaldi directory to run, batch 1")
    parser.add_argument(
        "--training", action="store_true", help="time the steps of distill-pruning"
    )
    parser.add_argument("--json", type=Path, help="file for all numbers")
    parser.add_argument("--png", type=Path, help="file for a figure: time against MACs")
    parser.add_argument(
        "--int8", type=Path, help="trained encoder: what int8 costs it on --data"
    )
    parser.add_argument(
        "--report", type=Path, help="measure the targets into this directory, instead"
    )
    parser.add_argument(
        "--readme", type=Path, help="put the report's first table into this file, too"
    )
    args = parser.parse_args(argv)

    if bool(args.encoders) == bool(args.report or args.int8):
        parser.error("expected encoder directories, or --report or --int8 and none")
    use_device(args.device)
    if args.encoders:
        _measure(parser, args)
        return
    if (args.int8 is None) != (args.data is None):
        parser.error("--int8 and --data belong together here")
    if args.readme is not None and args.report is None:
        parser.error("--readme goes with --report")
    if args.report is None:
        print(loss_on_data(args.int8, args.data))
        return
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "-m", "pruneasr.bin.bench", *words])
    report = write_report(args.report, command, args.int8, args.data)
    print(report)
    if args.readme is not None:
        _, section = report.split(f"\n## {MAIN}\n")
        update_readme(args.readme, "speed", section.split("\n## ")[0])


def _measure(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Measure the given encoders."""
    if args.training:
        print(training_report(args))
        return
    repeats = args.repeats or (PASSES if args.data else Setting.repeats)
    if args.data is not None and args.batch != 1:
        parser.error("--data runs utterances one by one; leave --batch at 1")
    setting = Setting(
        args.device, args.dtype, args.backend, args.batch, args.seconds, repeats
    )
    audio = None if args.data is None else read_audio(args.data / "wav.scp")
    encoders = {path: load_encoder(path).eval() for path in args.encoders}
    rows = measure(encoders, setting, audio)
    what = f"{setting}"
    if audio is not None:
        total_sec = sum(map(len, audio)) / SAMPLE_RATE
        size = f"{len(audio)} utterances, {total_sec:.0f} s"
        what = f"{setting.of('1')}, all of {args.data} ({size})"
    print(f"{what}\n\n{markdown(rows)}")
    if args.json is not None:
        text = json.dumps(as_json(rows, what), indent=1) + "\n"
        args.json.write_text(text, encoding="utf-8")
    if args.png is not None:
        plot({what: rows}, args.png)


def training_report(args: argparse.Namespace) -> str:
    """Return the table of training steps of one dense encoder."""
    if len(args.encoders) != 1:
        raise ValueError(f"--training takes one dense encoder; found {args.encoders}")
    setting = Setting(args.device, batch=args.batch, seconds=args.seconds)
    times = training_times(
        load_encoder(args.encoders[0]),
        batch=args.batch,
        seconds=args.seconds,
        repeats=args.repeats or PASSES,
        device=args.device,
    )
    return f"{setting}\n\n{training_table(times)}"


if __name__ == "__main__":
    main()
