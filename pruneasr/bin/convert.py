"""Convert a published speech encoder to a pruneasr directory, or to Hugging Face's.

    python -m pruneasr.bin.convert --source microsoft/wavlm-base-plus --output exp/wavlm
    python -m pruneasr.bin.convert --source WAVLM_BASE --output exp/wavlm
    python -m pruneasr.bin.convert --source hubert_base_ls960.pt --output exp/hubert
    python -m pruneasr.bin.convert --source exp/hubert --output exp/hubert_hf \
        --format huggingface
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from pruneasr.encoder import save_encoder
from pruneasr.encoder.initialize import count_parameters
from pruneasr.encoder.interop import export_huggingface, import_encoder
from pruneasr.errors import in_a_line


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, read the source and write the output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--source",
        required=True,
        help="Hugging Face directory or id, torchaudio bundle, .pt of WavLM or fairseq "
        "(wav2vec 2.0, HuBERT, data2vec), .pth of DPHuBERT, or pruneasr directory",
    )
    parser.add_argument("--output", type=Path, required=True, help="directory to write")
    parser.add_argument(
        "--format", choices=("pruneasr", "huggingface"), default="pruneasr"
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    imported = import_encoder(args.source)
    for name in imported.not_converted:
        logging.info("not converted: %s", name)
    if args.format == "huggingface":
        export_huggingface(imported.encoder, args.output)
    else:
        save_encoder(imported.encoder, args.output, imported.provenance)
    parameters = count_parameters(imported.encoder)
    logging.info(
        "%s: %s, %d parameters", args.output, imported.encoder.config.family, parameters
    )


if __name__ == "__main__":
    main()
