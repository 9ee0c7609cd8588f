"""Write an encoder as an ONNX model and check it with onnxruntime.

python -m pruneasr.bin.export_onnx --encoder exp/encoder --output encoder.onnx
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from pruneasr.encoder import load_encoder
from pruneasr.errors import in_a_line
from pruneasr.export import export_onnx, onnx_difference


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, export, and fail if the result differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--encoder", required=True, help="encoder directory")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument(
        "--last", action="store_true", help="output the last hidden state only"
    )
    parser.add_argument(
        "--tolerance", type=float, default=1e-4, help="largest allowed difference"
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    encoder = load_encoder(args.encoder)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    export_onnx(encoder, args.output, args.last)
    difference = onnx_difference(encoder, args.output)
    logging.info("%s differs from torch by %.1e at most", args.output, difference)
    if not difference <= args.tolerance:
        sys.exit(
            f"{args.output}: expected a difference of at most {args.tolerance}, found "
            f"{difference:.1e}; do not use this file"
        )


if __name__ == "__main__":
    main()
