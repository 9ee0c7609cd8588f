"""Put the slots of whole sets into the order of speech, where words are heard.

Where the detectors do not hear the words of utterances that they have not been trained
on, nothing is written: a wrong order is worse than one that is the same everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from pruneasr.data.datadir import write_table
from pruneasr.data.semantic_frames import (
    SemanticFrame,
    format_frame,
    read_frames,
    words_of_slots,
)
from pruneasr.readout.spoken_order import in_spoken_order
from pruneasr.readout.word_detector import (
    Heard,
    WordDetector,
    detection_auc,
    hear,
    train_detector,
)

MIN_AUC = 0.9
"""On coffee orders CTC learned words after 0.98; 0.81 was worse than no change."""


def order_sets(
    data: Sequence[Path],
    train: Path,
    encode: Callable[[Path], Mapping[str, Tensor]],
    *,
    seed: int,
    min_auc: float = MIN_AUC,
) -> None:
    """Train detectors of words, check them, and write the text of every set anew.

    Args:
        data: directories with wav.scp and text; what is in order already stays so.
        train: the one to learn words from.
        encode: from a wav.scp to the hidden states (S, L, D) of each utterance.
        seed: of the detectors.
        min_auc: of words in directories other than ``train``; below, nothing is
            written.

    Raises:
        ValueError: There is no other directory than that of the training, or no slots,
            utterances differ between wav.scp and text, or the words of the others are
            not heard.
    """
    if set(data) <= {train}:
        raise ValueError(
            f"expected a directory beside {train}, whose words the detectors have "
            "not been trained on, to see whether they hear them; found none"
        )
    frames = {name: read_frames(name / "text") for name in {train, *data}}
    heard = {name: _hear(encode(name / "wav.scp"), frames[name]) for name in frames}
    detector = train_detector(list(heard[train].values()), seed)
    auc = {name: detection_auc(detector, list(heard[name].values())) for name in data}
    for name in data:
        logging.info("%s: words are detected with AUC %.3f", name, auc[name])
    worst = min(auc[name] for name in data if name != train)
    if not worst >= min_auc:  # nor where it is no number, of words all have
        raise ValueError(
            f"expected an encoder in whose hidden states words are heard, AUC of at "
            f"least {min_auc:.2f} (--min-auc), found {worst:.3f}: the order of "
            "slots is left as it is. Take another encoder (run.sh: --teacher), or keep "
            "the order of the labels (run.sh: --spoken-order false)"
        )
    for name in data:
        _write(name, detector, heard[name], frames[name])


def _hear(
    states: Mapping[str, Tensor], frames: Mapping[str, SemanticFrame]
) -> dict[str, Heard]:
    return hear(states, {name: words_of_slots(f) for name, f in frames.items()})


def _write(
    directory: Path,
    detector: WordDetector,
    heard: Mapping[str, Heard],
    frames: Mapping[str, SemanticFrame],
) -> None:
    ordered = {
        name: in_spoken_order(detector, heard[name].states, frame)
        for name, frame in frames.items()
    }
    moved = sum(ordered[name] != frame for name, frame in frames.items())
    logging.info("%s: another order in %d of %d", directory, moved, len(ordered))
    texts = {name: format_frame(frame) for name, frame in ordered.items()}
    write_table(directory / "text", texts)
