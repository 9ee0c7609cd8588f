"""PR, ASR and SF: CTC over phones, characters, or characters and slot tags.

PR is linear, frame by frame (FrameCTC); ASR and SF have a bidirectional LSTM between
(RecurrentCTC). Both decode greedily, without a language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.superb.features import FeatureShape
from pruneasr.superb.metrics.slots import BEGIN, END
from pruneasr.superb.probes.lstm import BidirectionalLSTM
from pruneasr.superb.probes.probe import Probe, Vocabulary, position

BLANK = 0


def split_tagged(text: str) -> list[str]:
    """Split into characters, but keep the tags of slots whole.

    No space stands between a tag and its value: as in s3prl it follows from the tag.

    >>> split_tagged("go B-a on E-a up")
    ['g', 'o', ' ', 'B-a', 'o', 'n', 'E-a', ' ', 'u', 'p']
    """
    tokens: list[str] = []
    for word in text.split():
        if tokens and not (tokens[-1].startswith(BEGIN) or word.startswith(END)):
            tokens.append(" ")
        tokens += [word] if word.startswith((BEGIN, END)) else list(word)
    return tokens


def join_tagged(tokens: Sequence[str]) -> str:
    """Return the text of tokens, with one space on each side of a tag.

    >>> join_tagged(["g", "o", " ", "B-a", "o", "n", "E-a", "B-b", "u", "p", "E-b"])
    'go B-a on E-a B-b up E-b'
    """
    spaced = [f" {t} " if t.startswith((BEGIN, END)) else t for t in tokens]
    return " ".join("".join(spaced).split())


class CTCProbe(Probe):
    """Writes token sequences; subclasses map features to ``num_hidden`` dimensions."""

    def __init__(
        self, shape: FeatureShape, vocabulary: Vocabulary, *, num_hidden: int
    ) -> None:
        super().__init__(shape, vocabulary)
        self.classifier = nn.Linear(num_hidden, 1 + len(vocabulary[0]))

    @staticmethod
    def split(text: str) -> list[str]:
        """Split a text into tokens: its characters."""
        return list(text)

    @staticmethod
    def join(tokens: Sequence[str]) -> str:
        """Make text of tokens again."""
        return "".join(tokens).strip()

    @classmethod
    def learn_vocabulary(cls, texts: Sequence[str]) -> Vocabulary:
        """Return the tokens of the texts; the blank is not among them.

        Raises:
            ValueError: All texts are empty.
        """
        tokens = sorted({token for text in texts for token in cls.split(text)})
        if not tokens:
            raise ValueError(f"expected texts, found {len(texts)} empty ones")
        return [tokens]

    def hidden(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Map the weighted sum (B, L, D) to (B, L, num_hidden)."""
        raise NotImplementedError

    def loss(
        self, hidden_states: Tensor, lengths: Tensor, texts: Sequence[str]
    ) -> Tensor:
        """Return the CTC loss; an utterance too short for its text counts nothing."""
        log_probs = self._log_probs(hidden_states, lengths)
        tokens = [
            torch.tensor([1 + position(self.vocabulary[0], t) for t in self.split(x)])
            for x in texts
        ]
        return F.ctc_loss(
            log_probs.transpose(0, 1),
            torch.cat(tokens).to(log_probs.device),
            lengths,
            torch.tensor([len(t) for t in tokens], device=log_probs.device),
            blank=BLANK,
            zero_infinity=True,
        )

    def predict(self, hidden_states: Tensor, lengths: Tensor) -> list[str]:
        """Return the likeliest path of each utterance, collapsed."""
        best = self._log_probs(hidden_states, lengths).argmax(2)
        paths = [
            row[:n] for row, n in zip(best.tolist(), lengths.tolist(), strict=True)
        ]
        return [self._collapse(path) for path in paths]

    def _collapse(self, path: list[int]) -> str:
        kept = [token for token, _ in groupby(path) if token != BLANK]
        return self.join([self.vocabulary[0][token - 1] for token in kept])

    def _log_probs(self, hidden_states: Tensor, lengths: Tensor) -> Tensor:
        x = self.hidden(self.weighted_sum(hidden_states.unbind(1)), lengths)
        return self.classifier(x).log_softmax(2)


class FrameCTC(CTCProbe):
    """PR: two linear layers without a nonlinearity between, as in s3prl."""

    def __init__(
        self, shape: FeatureShape, vocabulary: Vocabulary, *, projection: int = 256
    ) -> None:
        """Build the head; SUPERB's ``projection`` is 256."""
        super().__init__(shape, vocabulary, num_hidden=projection)
        self.projection = nn.Linear(shape.dim, projection)

    @staticmethod
    def split(text: str) -> list[str]:
        """Split a text into phones."""
        return text.split()

    @staticmethod
    def join(tokens: Sequence[str]) -> str:
        """Write phones with spaces between."""
        return " ".join(tokens)

    def hidden(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Project every frame."""
        return self.projection(features)


class RecurrentCTC(CTCProbe):
    """ASR: projection and a bidirectional LSTM over characters."""

    def __init__(
        self,
        shape: FeatureShape,
        vocabulary: Vocabulary,
        *,
        projection: int = 1024,
        units: int = 1024,
        layers: int = 2,
        dropout: float = 0.2,
    ) -> None:
        """Build the head.

        Args:
            shape: Of the features.
            vocabulary: The tokens.
            projection: Dimensions before the LSTM; 1024 in SUPERB.
            units: Of the LSTM in each direction; 1024 in SUPERB.
            layers: Of the LSTM; 2 in SUPERB.
            dropout: After each layer; 0.2 in SUPERB.
        """
        super().__init__(shape, vocabulary, num_hidden=2 * units)
        self.projection = nn.Linear(shape.dim, projection)
        self.lstm = BidirectionalLSTM(projection, units, layers, dropout)
        self.dropout = nn.Dropout(dropout)

    def hidden(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Read every utterance both ways, without its padding."""
        x = self.lstm(self.projection(features), lengths)
        return self.dropout(x)


class TaggedCTC(RecurrentCTC):
    """SF: characters, and the tags ``B-<type>`` and ``E-<type>`` around each slot."""

    @staticmethod
    def split(text: str) -> list[str]:
        """Split a text into characters and tags."""
        return split_tagged(text)

    @staticmethod
    def join(tokens: Sequence[str]) -> str:
        """Write characters, and tags as words."""
        return join_tagged(tokens)
