"""Put the slots of a corpus whose labels have no order into the order of speech.

    python -m pruneasr.bin.order_slots --encoder exp/teacher --train data/train \
        data/train data/dev

The ``text`` of each directory is written anew; what is in order already stays so.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from pruneasr.data.datadir import read_table, write_table
from pruneasr.data.frames import format_frame, read_frames
from pruneasr.data.spoken_order import (
    Heard,
    detection_auc,
    in_spoken_order,
    train_detector,
)
from pruneasr.encoder import Encoder, load_encoder
from pruneasr.superb.features import encode


def main(argv: list[str] | None = None) -> None:
    """Parse the command line, train the detectors and write every directory's text."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "data", nargs="+", type=Path, help="directories to put in order"
    )
    parser.add_argument("--train", type=Path, required=True, help="to learn words from")
    parser.add_argument("--encoder", required=True, help="encoder directory")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    encoder = load_encoder(args.encoder).eval()
    train = _hear(encoder, args.train)
    detector = train_detector(list(train.values()), args.seed)
    for directory in args.data:
        utterances = train if directory == args.train else _hear(encoder, directory)
        ordered = {
            name: in_spoken_order(detector, heard) for name, heard in utterances.items()
        }
        moved = sum(ordered[name] != u.frame for name, u in utterances.items())
        logging.info(
            "%s: another order in %d of %d; words are detected with AUC %.3f",
            directory,
            moved,
            len(ordered),
            detection_auc(detector, list(utterances.values())),
        )
        texts = {name: format_frame(frame) for name, frame in ordered.items()}
        write_table(directory / "text", texts)


def _hear(encoder: Encoder, directory: Path) -> dict[str, Heard]:
    recordings = read_table(directory / "wav.scp")
    return {
        name: Heard(encode(encoder, recordings[name], "cpu"), frame)
        for name, frame in read_frames(directory / "text").items()
    }


if __name__ == "__main__":
    main()
