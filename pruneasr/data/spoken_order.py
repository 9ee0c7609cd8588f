"""Find the order in which slots are spoken, where labels are sets and have none.

A CTC model needs its targets in the order of their sounds. Detectors of words, trained
to tell which words an utterance has and not where (Palaz et al., Interspeech 2016), on
the frozen hidden states of an encoder, are sure only near the word; a slot is where the
words of its value are heard close together.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from pruneasr.data.frames import Frame
from pruneasr.readout.tdnn import TDNN
from pruneasr.readout.weighted_sum import WeightedSum

WIDTH = 128
KERNELS = (9, 7)
OUTPUT_KERNEL = 5
"""With the stride of 2, an outlook of 0.6 s: a word, not the sentence around it."""
NEAR = 12
"""Frames of 40 ms: the words of a value lie within half a second of each other."""
DROPOUT = 0.3
BATCH = 8
EPOCHS = 40
LEARNING_RATE = 1.5e-3
"""Words of 0.8 h of orders: AUC 0.94 on dev, rising from the 8th to the 30th epoch."""
ABSENT = -5.0
"""First bias of a detector: that a word is absent is right nearly everywhere."""


@dataclass(frozen=True)
class Heard:
    """An utterance: what an encoder hears and what the label says.

    Attributes:
        states: (S, L, D), all hidden states of the encoder.
        frame: intent and slots, in any order.
    """

    states: Tensor
    frame: Frame

    def words(self) -> set[str]:
        """Return the words of all values."""
        return {word for _, value in self.frame.slots for word in value.split()}


class WordDetector(nn.Module):
    """Convolutions over a learned weighted sum of frozen hidden states."""

    def __init__(self, num_states: int, dim: int, words: Sequence[str]) -> None:
        """Make a detector of each of ``words``."""
        super().__init__()
        self.words = {word: i for i, word in enumerate(words)}
        self.weighted_sum = WeightedSum(num_states)
        self.tdnn = TDNN(dim, WIDTH, KERNELS, stride=2, dropout=DROPOUT)
        self.output = nn.Sequential(
            nn.Dropout(DROPOUT),
            nn.Conv1d(WIDTH, len(words), OUTPUT_KERNEL, padding=OUTPUT_KERNEL // 2),
        )
        nn.init.constant_(self.output[1].bias, ABSENT)  # type: ignore[arg-type]

    def forward(self, states: Tensor) -> Tensor:
        """Return how surely each word is heard: (S, L, D) -> logits (W, L / 2)."""
        mixed = self.weighted_sum(states[None].float())
        feats, _ = self.tdnn(mixed, torch.tensor([mixed.size(1)]))
        logits: Tensor = self.output(feats.transpose(1, 2))
        return logits[0]

    def presence(self, states: Tensor) -> Tensor:
        """Return logits (W,) of each word being somewhere in the utterance."""
        return self(states).logsumexp(1)

    def target(self, heard: Heard) -> Tensor:
        """Return (W,): 1 for the words of the label."""
        present = torch.zeros(len(self.words))
        present[[self.words[word] for word in heard.words() & self.words.keys()]] = 1
        return present


def train_detector(utterances: Sequence[Heard], seed: int) -> WordDetector:
    """Train detectors of all words of the labels.

    Raises:
        ValueError: There are no slots.
    """
    words = sorted(set().union(*(heard.words() for heard in utterances)))
    if not words:
        raise ValueError(
            f"expected slots in the labels of {len(utterances)} utterances, found none"
        )
    torch.manual_seed(seed)
    num_states, _, dim = utterances[0].states.shape
    detector = WordDetector(num_states, dim, words).train()
    optimizer = torch.optim.AdamW(detector.parameters(), LEARNING_RATE)
    steps = -(-len(utterances) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=EPOCHS * steps
    )
    start = time.monotonic()
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for batch in _batches(utterances):
            loss = functional.binary_cross_entropy_with_logits(
                torch.stack([detector.presence(heard.states) for heard in batch]),
                torch.stack([detector.target(heard) for heard in batch]),
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() / steps
        left = (time.monotonic() - start) * (EPOCHS / epoch - 1)
        logging.info("epoch %d/%d: loss %.4f, %.0f s left", epoch, EPOCHS, total, left)
    return detector.eval()


def _batches(utterances: Sequence[Heard]) -> Iterator[list[Heard]]:
    for part in torch.randperm(len(utterances)).split(BATCH):
        yield [utterances[i] for i in part.tolist()]


@torch.inference_mode()
def detection_auc(detector: WordDetector, utterances: Sequence[Heard]) -> float:
    """Return the area under the ROC curve of all words together; 0.5 is chance."""
    scores = torch.stack([detector.presence(heard.states) for heard in utterances])
    targets = torch.stack([detector.target(heard) for heard in utterances])
    return float(roc_auc_score(targets.flatten(), scores.flatten()))


@torch.inference_mode()
def in_spoken_order(detector: WordDetector, heard: Heard) -> Frame:
    """Return the frame with its slots where they are heard.

    A slot none of whose words was heard in training stays behind the one before it.
    """
    width = 2 * NEAR + 1
    near = functional.max_pool1d(
        detector(heard.states)[None], width, stride=1, padding=NEAR
    )[0]
    places = [0.0]
    for _, value in heard.frame.slots:
        known = [detector.words[w] for w in value.split() if w in detector.words]
        places.append(_middle_of_best(near[known].sum(0)) if known else places[-1])
    order = sorted(range(len(heard.frame.slots)), key=lambda i: places[i + 1])
    return Frame(heard.frame.intent, tuple(heard.frame.slots[i] for i in order))


def _middle_of_best(scores: Tensor) -> float:
    """Return the mean place of the maximum, which max pooling makes a plateau."""
    return (scores == scores.max()).nonzero().float().mean().item()
