"""Accuracy: the share of utterances whose label is right."""

from __future__ import annotations

from collections.abc import Mapping

from pruneasr.scoring.errors import check_same_utterances


def accuracy(references: Mapping[str, str], hypotheses: Mapping[str, str]) -> float:
    """Return the accuracy in percent.

    A label of several words, as an intent is of action, object and place, is right
    when all of them are.

    Raises:
        ValueError: The two do not have the same utterances.
    """
    check_same_utterances(references, hypotheses)
    right = sum(references[name] == hypotheses[name] for name in references)
    return 100 * right / len(references)
