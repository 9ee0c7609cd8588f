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
import dataclasses
import json
import shlex
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

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
SETTING = {field.name for field in dataclasses.fields(Setting)}
# What decides what is measured, the first of these that is given, and what goes with it
TAKES = {
    "report": {"int8", "data", "readme"},
    "int8": {"data"},
    "training": {"device", "batch", "seconds", "repeats"},
    "data": {"encoders", "json", "png"} | SETTING - {"batch", "seconds"},
    "encoders": {"json", "png"} | SETTING,
}


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    parser = get_parser()
    given = vars(parser.parse_args(argv))
    mode = check_options(parser, given)
    if mode == "report":
        words = sys.argv[1:] if argv is None else argv
        _report(given, shlex.join(["python", "-m", "pruneasr.bin.bench", *words]))
    elif mode == "int8":
        print(loss_on_data(given["int8"], given["data"]))
    elif mode == "training":
        _time_training(given)
    else:
        _measure(given)


def get_parser() -> argparse.ArgumentParser:
    """Return the parser; what is not given is no attribute of what it returns."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n")[0],
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add("encoders", nargs="*", metavar="DIR", help="the dense one first")
    add("--device", help=f"default {Setting.device}")
    add("--dtype", choices=DTYPES, help=f"default {Setting.dtype}")
    add("--backend", choices=BACKENDS, help=f"default {Setting.backend}")
    add("--batch", type=int, help=f"utterances at once, default {Setting.batch}")
    add("--seconds", type=float, help=f"of an utterance, default {Setting.seconds:g}")
    add(
        "--repeats",
        type=int,
        help=f"rounds, default {Setting.repeats}, with --data and --training {PASSES}",
    )
    add("--data", type=Path, help="Kaldi directory to run, batch 1")
    add(
        "--training",
        metavar="DIR",
        help="dense encoder: time the steps of its distill-pruning",
    )
    add("--json", type=Path, help="file for all numbers")
    add("--png", type=Path, help="file for a figure: time against MACs")
    add("--int8", type=Path, help="trained encoder: what int8 costs it on --data")
    add("--report", type=Path, help="measure the targets into this directory, instead")
    add("--readme", type=Path, help="put the report's first table into this file, too")
    return parser


def check_options(parser: argparse.ArgumentParser, given: Collection[str]) -> str:
    """Return which of ``TAKES`` is asked for; refuse what does not go with it."""
    mode = next((name for name in TAKES if name in given), None)
    if mode is None:
        parser.error("expected encoder directories, --training, --int8 or --report")
    others = {*given} - {mode} - TAKES[mode]
    if others:
        parser.error(
            f"{mode} goes with {', '.join(sorted(TAKES[mode]))}; found "
            f"{', '.join(sorted(others))} too, which would change nothing"
        )
    if "int8" in given and "data" not in given:
        parser.error("--int8 needs --data")
    if "data" in given and not {"int8", "encoders"} & {*given}:
        parser.error("--data needs encoder directories or --int8")
    return mode


def _setting(given: Mapping[str, Any], repeats: int) -> Setting:
    """Return how to measure; repeats is what counts where --repeats is not given."""
    options = {name: given[name] for name in SETTING if name in given}
    setting = Setting(**{"repeats": repeats, **options})
    use_device(setting.device)
    return setting


def _report(given: Mapping[str, Any], command: str) -> None:
    report = write_report(
        given["report"], command, given.get("int8"), given.get("data")
    )
    print(report)
    if "readme" in given:
        _, section = report.split(f"\n## {MAIN}\n")
        update_readme(given["readme"], "speed", section.split("\n## ")[0])


def _time_training(given: Mapping[str, Any]) -> None:
    setting = _setting(given, PASSES)
    times = training_times(
        load_encoder(given["training"]),
        batch=setting.batch,
        seconds=setting.seconds,
        repeats=setting.repeats,
        device=setting.device,
    )
    print(f"{setting}\n\n{training_table(times)}")


def _measure(given: Mapping[str, Any]) -> None:
    """Measure encoders on noise, or on the audio of --data."""
    data = given.get("data")
    setting = _setting(given, Setting.repeats if data is None else PASSES)
    audio = None if data is None else read_audio(data / "wav.scp")
    encoders = {path: load_encoder(path).eval() for path in given["encoders"]}
    rows = measure(encoders, setting, audio)
    what = f"{setting}"
    if audio is not None:
        total_sec = sum(map(len, audio)) / SAMPLE_RATE
        size = f"{len(audio)} utterances, {total_sec:.0f} s"
        what = f"{setting.of('1')}, all of {data} ({size})"
    print(f"{what}\n\n{markdown(rows)}")
    if "json" in given:
        text = json.dumps(as_json(rows, what), indent=1) + "\n"
        given["json"].write_text(text, encoding="utf-8")
    if "png" in given:
        plot({what: rows}, given["png"])


if __name__ == "__main__":
    main()
