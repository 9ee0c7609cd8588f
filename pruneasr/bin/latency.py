"""Measure once per machine what the widths of an encoder take in milliseconds.

    python -m pruneasr.bin.latency --output exp/latency.json exp/teacher

The table is what ``constraint_conf: {kind: latency, latency_table: exp/latency.json}``
prunes by. Run it where, and with as many threads as, the pruned encoder will run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from pruneasr.bench.backends import DTYPES
from pruneasr.bench.latency import measure_table
from pruneasr.bench.timing import use_device
from pruneasr.encoder import load_encoder
from pruneasr.errors import in_a_line
from pruneasr.pruning.latency import LatencyTable, latency, save_table
from pruneasr.pruning.widths import config_widths


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, measure, write, print the sums."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("encoder", metavar="DIR", help="the dense encoder")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--threads", type=int, help="of the CPU; all cores")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the utterance")
    parser.add_argument("--repeats", type=int, default=15, help="rounds over all parts")
    args = parser.parse_args(argv)

    use_device(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    table, whole = measure_table(
        load_encoder(args.encoder).config,
        device=args.device,
        dtype=args.dtype,
        seconds=args.seconds,
        repeats=args.repeats,
    )
    args.output.parent.mkdir(parents=True, exist_ok=True)
    save_table(table, args.output)
    print(summary(table, whole))


def summary(table: LatencyTable, whole: float) -> str:
    """Return what was measured in a few lines.

    Args:
        table: of the dense encoder.
        whole: milliseconds of the encoder itself.
    """
    cost = latency(table, config_widths(table.config))
    return (
        f"{table}\n"
        f"convolutions {cost.cnn:.1f} ms, attention and feed-forward "
        f"{cost.mha_ffn:.1f} ms, rest {cost.rest:.1f} ms\n"
        f"sum {cost.total:.1f} ms; the whole encoder {whole:.1f} ms"
    )


if __name__ == "__main__":
    main()
