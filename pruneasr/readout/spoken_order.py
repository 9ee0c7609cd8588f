"""Find the order in which slots are spoken, where labels are sets and have none.

A CTC model needs its targets in the order of their sounds. A slot is where detectors
hear the words of its value close together.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pruneasr.data.semantic_frames import SemanticFrame, slot_words
from pruneasr.readout.word_detector import WordDetector

NEAR = 12
"""Frames of 40 ms: the words of a value lie within half a second of each other."""


@torch.inference_mode()
def in_spoken_order(
    detector: WordDetector, states: Tensor, frame: SemanticFrame
) -> SemanticFrame:
    """Return the frame with its slots where they are heard.

    A slot none of whose words was heard in training stays behind the one before it.

    Args:
        detector: of the words that stand for slots (``slot_words``).
        states: (S, L, D), all hidden states of the encoder.
        frame: intent and slots, in any order.
    """
    width = 2 * NEAR + 1
    near = functional.max_pool1d(detector(states)[None], width, stride=1, padding=NEAR)
    places = [0.0]
    for slot in frame.slots:
        known = [detector.words[w] for w in slot_words(*slot) if w in detector.words]
        places.append(_middle_of_best(near[0, known].sum(0)) if known else places[-1])
    order = sorted(range(len(frame.slots)), key=lambda i: places[i + 1])
    return SemanticFrame(frame.intent, tuple(frame.slots[i] for i in order))


def _middle_of_best(scores: Tensor) -> float:
    """Return the mean place of the maximum, which max pooling makes a plateau."""
    return (scores == scores.max()).nonzero().float().mean().item()
