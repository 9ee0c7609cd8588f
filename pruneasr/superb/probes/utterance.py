"""KS, IC, SID and ER: projection, mean over frames, linear classifier.

A label may be of several words, as an intent is of action, object and place: each
position has its own classes, and the loss is the sum of their cross entropies.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.encoder.feature_extractor import frame_mask
from pruneasr.superb.features import FeatureShape
from pruneasr.superb.probes.probe import Probe, Vocabulary, position


class UtteranceProbe(Probe):
    """Classifies whole utterances."""

    one_label = True

    def __init__(
        self, shape: FeatureShape, vocabulary: Vocabulary, *, projection: int = 256
    ) -> None:
        """Build the head.

        Args:
            shape: Of the features.
            vocabulary: The classes of each position.
            projection: Dimensions before the mean; 256 in SUPERB.
        """
        super().__init__(shape, vocabulary)
        self.projection = nn.Linear(shape.dim, projection)
        self.classifier = nn.Linear(projection, sum(map(len, vocabulary)))

    @staticmethod
    def learn_vocabulary(texts: Sequence[str]) -> Vocabulary:
        """Return the words that occur at each position of the labels.

        Raises:
            ValueError: The labels have different numbers of words.
        """
        labels = [text.split() for text in texts]
        sizes = sorted({len(label) for label in labels})
        if len(sizes) != 1 or sizes == [0]:
            raise ValueError(
                f"expected labels of equally many words, found {sizes} words"
            )
        return [sorted(set(column)) for column in zip(*labels, strict=True)]

    def loss(
        self, hidden_states: Tensor, lengths: Tensor, texts: Sequence[str]
    ) -> Tensor:
        """Return the cross entropy, summed over positions, averaged over the batch."""
        labels = [text.split() for text in texts]
        losses = []
        for i, logits in enumerate(self._logits(hidden_states, lengths)):
            classes = [position(self.vocabulary[i], label[i]) for label in labels]
            target = torch.tensor(classes, device=logits.device)
            losses.append(F.cross_entropy(logits, target))
        return torch.stack(losses).sum()

    def predict(self, hidden_states: Tensor, lengths: Tensor) -> list[str]:
        """Return the likeliest label of each utterance."""
        words = [
            [classes[i] for i in logits.argmax(1).tolist()]
            for classes, logits in zip(
                self.vocabulary, self._logits(hidden_states, lengths), strict=True
            )
        ]
        return [" ".join(label) for label in zip(*words, strict=True)]

    def _logits(self, hidden_states: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Return one (B, classes) per position."""
        x = self.projection(self.weighted_sum(hidden_states.unbind(1)))
        mask = frame_mask(lengths, x.size(1))[..., None]
        mean = (x * mask).sum(1) / lengths[:, None]
        return self.classifier(mean).split([len(c) for c in self.vocabulary], dim=1)
