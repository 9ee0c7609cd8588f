"""What all probes are: frozen hidden states and texts in, a loss or texts out.

    hidden states -> softmax(w)-weighted sum over layers -> head

A text is whatever the task's ``text`` file holds: a label, a transcript, segments.

Shapes: B batch, K layers, L frames, D model dimension.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from pruneasr.readout.weighted_sum import WeightedSum
from pruneasr.superb.features import FeatureShape

Vocabulary = list[list[str]]


class Probe(nn.Module):
    """A head on frozen features; subclasses are the heads.

    Attributes:
        vocabulary: What the head can say, learned from the training texts by
            ``learn_vocabulary``; saved with the weights.
        one_label: Whether a text is one label of the whole utterance, so that a part of
            the utterance has it too.
    """

    min_frames: ClassVar[int] = 1
    one_label: ClassVar[bool] = False

    def __init__(self, shape: FeatureShape, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.shape = shape
        self.vocabulary = vocabulary
        self.weighted_sum = WeightedSum(shape.num_layers)

    @staticmethod
    @abstractmethod
    def learn_vocabulary(texts: Sequence[str]) -> Vocabulary:
        """Return what can be said, from all training texts."""

    @abstractmethod
    def loss(
        self, hidden_states: Tensor, lengths: Tensor, texts: Sequence[str]
    ) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            hidden_states: (B, S, L, D), padded.
            lengths: (B,) valid frames.
            texts: B references.
        """

    @abstractmethod
    def predict(self, hidden_states: Tensor, lengths: Tensor) -> list[str]:
        """Return B hypotheses, in the form of the references."""

    def check(self, lengths: Tensor) -> None:
        """Refuse utterances that are too short for the head.

        Raises:
            ValueError: One has fewer than ``min_frames`` frames.
        """
        if int(lengths.min()) < self.min_frames:
            raise ValueError(
                f"{type(self).__name__} needs at least {self.min_frames} frames; found "
                f"lengths {lengths.tolist()}. Remove the short utterances"
            )


def position(choices: Sequence[str], value: Any) -> int:
    """Return where a value stands in a vocabulary.

    Raises:
        ValueError: It was not among the training texts.
    """
    if value not in choices:
        raise ValueError(
            f"expected one of the {len(choices)} values of the training set, found "
            f"{value!r}"
        )
    return choices.index(value)
