"""Train detectors of words on a frozen encoder, for a CTC model to begin with.

    python -m pruneasr.bin.detect_words --encoder exp/teacher --train data/train \
        --valid data/dev --tokens data/tokens_word --output words.pth

ESPnet's ``--init_param words.pth`` reads them into a model of ``frontend: pruned_ssl``,
``encoder: tdnn`` as it is by default, and CTC.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from pruneasr.data.datadir import read_table
from pruneasr.data.text import Splitter, read_token_folder
from pruneasr.encoder import Encoder, load_encoder
from pruneasr.errors import in_a_line
from pruneasr.readout.word_detector import (
    Heard,
    ctc_weights,
    detection_auc,
    hear,
    train_detector,
)
from pruneasr.superb.features import encode_all


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, train and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--encoder", required=True, help="encoder directory")
    parser.add_argument("--train", type=Path, required=True, help="to learn from")
    parser.add_argument(
        "--valid", type=Path, required=True, help="to tell how well words are heard"
    )
    parser.add_argument(
        "--tokens", type=Path, required=True, help="folder of the token list, of words"
    )
    parser.add_argument("--output", type=Path, required=True, help="file of weights")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    tokens, split = read_token_folder(args.tokens)
    encoder = load_encoder(args.encoder).eval()
    train, valid = (_hear(encoder, d, split) for d in (args.train, args.valid))
    detector = train_detector(train, args.seed)
    weights = ctc_weights(detector, tokens)
    auc = detection_auc(detector, valid)
    logging.info("%s: words are detected with AUC %.3f", args.valid, auc)
    torch.save(weights, args.output)


def _hear(encoder: Encoder, directory: Path, split: Splitter) -> list[Heard]:
    states = encode_all(encoder, directory / "wav.scp")
    texts = read_table(directory / "text")
    words = {name: split(text) for name, text in texts.items()}
    return list(hear(states, words).values())


if __name__ == "__main__":
    main()
