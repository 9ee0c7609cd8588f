"""Put the slots of a corpus whose labels have no order into the order of speech.

    python -m pruneasr.bin.order_slots --encoder exp/teacher --train data/train \
        data/train data/dev

The ``text`` of each directory is written anew; what is in order already stays so. Where
the detectors do not hear the words of an utterance that they have not been trained on,
nothing is written: a wrong order is worse than one that is the same everywhere.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from pruneasr.data.datadir import write_table
from pruneasr.data.frames import Frame, format_frame, read_frames, words_of_slots
from pruneasr.encoder import Encoder, load_encoder
from pruneasr.errors import in_a_line
from pruneasr.readout.spoken_order import in_spoken_order
from pruneasr.readout.word_detector import (
    Heard,
    WordDetector,
    detection_auc,
    train_detector,
)
from pruneasr.superb.features import encode_all

Utterances = dict[str, tuple[Heard, Frame]]

MIN_AUC = 0.9
"""On coffee orders CTC learned words after 0.98; 0.81 was worse than no change."""


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line and put slots in order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "data", nargs="+", type=Path, help="directories to put in order"
    )
    parser.add_argument("--train", type=Path, required=True, help="to learn words from")
    parser.add_argument("--encoder", required=True, help="encoder directory")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--min-auc",
        type=float,
        default=MIN_AUC,
        help="of words in directories other than --train; below, nothing is written",
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    order(args)


def order(args: argparse.Namespace) -> None:
    """Train the detectors, check them, and write every directory's text.

    Raises:
        ValueError: There is no other directory than that of the training, or no slots,
            or the words of the others are not heard.
    """
    if set(args.data) <= {args.train}:
        raise ValueError(
            f"expected a directory beside {args.train}, whose words the detectors have "
            "not been trained on, to see whether they hear them; found none"
        )
    encoder = load_encoder(args.encoder).eval()
    sets = {name: _hear(encoder, name) for name in {args.train, *args.data}}
    heard = {name: [h for h, _ in sets[name].values()] for name in sets}
    detector = train_detector(heard[args.train], args.seed)
    auc = {name: detection_auc(detector, heard[name]) for name in args.data}
    for name in args.data:
        logging.info("%s: words are detected with AUC %.3f", name, auc[name])
    worst = min(auc[name] for name in args.data if name != args.train)
    if not worst >= args.min_auc:  # nor where it is no number, of words all have
        raise ValueError(
            f"expected an encoder in whose hidden states words are heard, AUC of at "
            f"least {args.min_auc:.2f} (--min-auc), found {worst:.3f}: the order of "
            "slots is left as it is. Take another encoder (run.sh: --teacher), or keep "
            "the order of the labels (run.sh: --spoken-order false)"
        )
    for name in args.data:
        _write(name, detector, sets[name])


def _write(directory: Path, detector: WordDetector, utterances: Utterances) -> None:
    ordered = {
        name: in_spoken_order(detector, heard.states, frame)
        for name, (heard, frame) in utterances.items()
    }
    moved = sum(ordered[name] != frame for name, (_, frame) in utterances.items())
    logging.info("%s: another order in %d of %d", directory, moved, len(ordered))
    texts = {name: format_frame(frame) for name, frame in ordered.items()}
    write_table(directory / "text", texts)


def _hear(encoder: Encoder, directory: Path) -> Utterances:
    states = encode_all(encoder, directory / "wav.scp")
    return {
        name: (Heard(states[name], words_of_slots(frame)), frame)
        for name, frame in read_frames(directory / "text").items()
    }


if __name__ == "__main__":
    main()
