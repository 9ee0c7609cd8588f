"""Detectors of words: which words an utterance has, learned without being told where.

    score of a word = log sum over frames of exp(what the network says of the frame)

(Palaz et al., Interspeech 2016), on the frozen hidden states of an encoder. Such a
score is sure only near the word. That is what CTC has to find out first, and from 300
utterances it never does; one that begins as these detectors knows where words are.

Shapes: S hidden states, L frames, D features, W words.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from pruneasr.readout.tdnn import DROPOUT, KERNELS, STRIDE, TDNN, WIDTH
from pruneasr.readout.weighted_sum import WeightedSum

BATCH = 8
EPOCHS = 40
LEARNING_RATE = 1.5e-3
"""Words of 0.8 h of orders: AUC 0.94 on dev, rising from the 8th to the 30th epoch."""
ABSENT = -5.0
"""First bias of a detector: that a word is absent is right nearly everywhere."""


@dataclass(frozen=True)
class Heard:
    """An utterance: what an encoder hears and what was said, in any order.

    Attributes:
        states: (S, L, D), all hidden states of the encoder.
        words: those of the utterance.
    """

    states: Tensor
    words: Collection[str]


def hear(
    states: Mapping[str, Tensor], words: Mapping[str, Collection[str]]
) -> dict[str, Heard]:
    """Put together what is heard and what was said of each utterance.

    Args:
        states: of wav.scp.
        words: of text.

    Raises:
        ValueError: An utterance has the one without the other.
    """
    alone = sorted(states.keys() ^ words.keys())
    if alone:
        raise ValueError(
            f"expected the same utterances in wav.scp and text, found {len(alone)} in "
            f"one of them only: {alone[:5]}; add or remove them"
        )
    return {name: Heard(states[name], said) for name, said in words.items()}


class WordDetector(nn.Module):
    """A TDNN over a learned weighted sum of frozen hidden states."""

    def __init__(self, num_states: int, dim: int, words: Sequence[str]) -> None:
        """Make a detector of each of ``words``."""
        super().__init__()
        self.words = {word: i for i, word in enumerate(words)}
        self.weighted_sum = WeightedSum(num_states)
        self.tdnn = TDNN(dim, WIDTH, KERNELS, STRIDE, DROPOUT)
        self.output = nn.Linear(WIDTH, len(words))
        nn.init.constant_(self.output.bias, ABSENT)

    def forward(self, states: Tensor) -> Tensor:
        """Return how surely each word is heard: (S, L, D) -> logits (W, L / 2)."""
        mixed = self.weighted_sum(states[:, None].float().unbind())
        feats, _ = self.tdnn(mixed, torch.tensor([mixed.size(1)]))
        logits: Tensor = self.output(feats[0])
        return logits.T

    def presence(self, states: Tensor) -> Tensor:
        """Return logits (W,) of each word being somewhere in the utterance."""
        return self(states).logsumexp(1)

    def target(self, heard: Heard) -> Tensor:
        """Return (W,): 1 for the words of the utterance."""
        present = torch.zeros(len(self.words))
        present[[self.words[word] for word in heard.words if word in self.words]] = 1
        return present


def train_detector(utterances: Sequence[Heard], seed: int) -> WordDetector:
    """Train detectors of all words but those that every utterance has.

    Such a word, an intent say, is nowhere and would be heard everywhere.

    Raises:
        ValueError: There are no words.
    """
    counts = Counter(word for heard in utterances for word in set(heard.words))
    words = sorted(word for word in counts if counts[word] < len(utterances))
    if not words:
        raise ValueError(
            f"expected words in the labels of {len(utterances)} utterances that some "
            "have and others have not, found none"
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


def ctc_weights(detector: WordDetector, tokens: Sequence[str]) -> dict[str, Tensor]:
    """Return what an ESPnet model of ``pruned_ssl``, ``tdnn`` and CTC begins with.

    Args:
        detector: of words that are tokens.
        tokens: ESPnet's token list, the blank first. Its score is 0 everywhere, that
            of a token without a detector always ``ABSENT``.

    Raises:
        ValueError: A word is no token.
    """
    unknown = sorted(detector.words.keys() - set(tokens))
    if unknown:
        raise ValueError(
            f"expected a token list with all words of the labels; it lacks "
            f"{len(unknown)}: {unknown[:5]}. Use token_type word, and a list made of "
            "these labels"
        )
    weight = torch.zeros(len(tokens), WIDTH)
    bias = torch.full((len(tokens),), ABSENT)
    rows = [tokens.index(word) for word in detector.words]
    weight[rows] = detector.output.weight.detach()
    bias[rows] = detector.output.bias.detach()
    bias[0] = 0.0
    tdnn = {f"encoder.tdnn.{k}": v for k, v in detector.tdnn.state_dict().items()}
    mixture = {
        f"frontend.featurizer.{name}": tensor
        for name, tensor in detector.weighted_sum.state_dict().items()
    }
    return mixture | tdnn | {"ctc.ctc_lo.weight": weight, "ctc.ctc_lo.bias": bias}
