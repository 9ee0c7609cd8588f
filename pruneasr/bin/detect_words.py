"""Train detectors of words on a frozen encoder, for a CTC model to begin with.

    python -m pruneasr.bin.detect_words --encoder exp/teacher --data data/train \
        --tokens data/tokens_word --output words.pth

ESPnet's ``--init_param words.pth`` reads them into a model of ``frontend: pruned_ssl``,
``encoder: tdnn`` as it is by default, and CTC.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from pruneasr.data.datadir import read_table
from pruneasr.data.text import read_token_folder
from pruneasr.encoder import load_encoder
from pruneasr.readout.word_detector import (
    Heard,
    ctc_weights,
    detection_auc,
    train_detector,
)
from pruneasr.superb.features import encode


def main(argv: list[str] | None = None) -> None:
    """Parse the command line, train and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--encoder", required=True, help="encoder directory")
    parser.add_argument("--data", type=Path, required=True, help="to learn from")
    parser.add_argument(
        "--tokens", type=Path, required=True, help="folder of the token list, of words"
    )
    parser.add_argument("--output", type=Path, required=True, help="file of weights")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    try:
        tokens, split = read_token_folder(args.tokens)
        encoder = load_encoder(args.encoder).eval()
        recordings = read_table(args.data / "wav.scp")
        utterances = [
            Heard(encode(encoder, recordings[name], "cpu"), split(text))
            for name, text in read_table(args.data / "text").items()
        ]
        detector = train_detector(utterances, args.seed)
        weights = ctc_weights(detector, tokens)
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    auc = detection_auc(detector, utterances)
    logging.info("%s: words are detected with AUC %.3f", args.data, auc)
    torch.save(weights, args.output)


if __name__ == "__main__":
    main()
