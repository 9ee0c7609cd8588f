"""Make an encoder that nobody has trained yet.

    python -m pruneasr.bin.init_encoder --config conf/teacher.yaml --seed 1 --output D
        random weights; the YAML file holds arguments of dense_config
    python -m pruneasr.bin.init_encoder --shape-of exp/pruned --output D
        random weights in the shape of another encoder
    python -m pruneasr.bin.init_encoder --first-blocks 2 --of exp/teacher \
        --parameters-of exp/pruned --output D
        a student as in DistilHuBERT: the front end and the first blocks of a teacher,
        with feed-forward layers as wide as the size of another encoder allows. A
        narrower layer keeps the first dimensions, a wider one has random further ones
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from pruneasr.encoder import Encoder, dense_config, load_encoder, save_encoder
from pruneasr.encoder.checkpoint import load_config
from pruneasr.encoder.initialize import (
    count_parameters,
    first_blocks,
    random_encoder,
)
from pruneasr.errors import in_a_line


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, make the encoder and save it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--config", type=Path, help="YAML file, arguments of dense_config")
    how.add_argument("--shape-of", type=Path, help="encoder directory")
    how.add_argument("--first-blocks", type=int, help="number of blocks to copy")
    parser.add_argument("--of", type=Path, help="teacher directory, to copy from")
    parser.add_argument("--parameters-of", type=Path, help="directory, to be as large")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    if (args.first_blocks is None) != (args.of is None):
        parser.error("--first-blocks and --of need each other")
    if args.parameters_of and not args.of:
        parser.error("--parameters-of needs --first-blocks")

    encoder = _make(args)
    chosen = {name: value for name, value in vars(args).items() if value is not None}
    provenance = {"init_encoder": {name: str(chosen[name]) for name in sorted(chosen)}}
    save_encoder(encoder, args.output, provenance)
    print(f"{args.output}: {count_parameters(encoder)} parameters")


def _make(args: argparse.Namespace) -> Encoder:
    if args.config:
        return random_encoder(dense_config(**_read_yaml(args.config)), args.seed)
    if args.shape_of:
        return random_encoder(load_config(args.shape_of), args.seed)
    size = (
        count_parameters(load_encoder(args.parameters_of))
        if args.parameters_of
        else None
    )
    return first_blocks(load_encoder(args.of), args.first_blocks, args.seed, size)


def _read_yaml(path: Path) -> dict[str, Any]:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected 'name: value' lines; found {values!r}")
    return values


if __name__ == "__main__":
    main()
