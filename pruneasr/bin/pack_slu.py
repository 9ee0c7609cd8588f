"""Pack a trained SLU model into one file, as ESPnet packs those of other tasks.

    python -m pruneasr.bin.pack_slu --slu_train_config exp/slu/config.yaml \
        --slu_model_file exp/slu/valid.acc.ave.pth --outpath exp/slu/packed.zip

Unpacked by ``espnet2.main_funcs.pack_funcs.unpack``, whose result are the arguments of
``Speech2Understand``. The options are named and written as those of espnet2.bin.pack.
"""

from __future__ import annotations

import argparse

from espnet2.main_funcs.pack_funcs import pack

from pruneasr.errors import in_a_line


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line and write the archive."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--slu_train_config", required=True, help="its config.yaml")
    parser.add_argument("--slu_model_file", required=True, help="its weights")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        help="further file to pack, e.g. a token list; may be repeated",
    )
    parser.add_argument("--outpath", required=True, help="archive to write")
    args = parser.parse_args(argv)
    pack(
        files={"slu_model_file": args.slu_model_file},
        yaml_files={"slu_train_config": args.slu_train_config},
        outpath=args.outpath,
        option=args.option,
    )


if __name__ == "__main__":
    main()
