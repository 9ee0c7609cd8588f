"""What all programs that write a recipe's results are told."""

from __future__ import annotations

import argparse
from pathlib import Path

from pruneasr.results.collect import METRICS


def results_parser(module: str, about: str) -> argparse.ArgumentParser:
    """Return a parser of the title, the task, the test sets and where results go.

    Args:
        module: as in ``python -m pruneasr.bin.<module>``.
        about: what the program does.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m pruneasr.bin.{module}", description=about
    )
    parser.add_argument("--title", required=True)
    parser.add_argument(
        "--task", choices=METRICS, default="asr", help="which scores are read"
    )
    parser.add_argument("--test-sets", nargs="+", required=True)
    parser.add_argument("--audio", type=Path, required=True, help="wav.scp to time on")
    parser.add_argument("--output", type=Path, required=True, help="receives RESULTS")
    return parser
