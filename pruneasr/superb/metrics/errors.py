"""Error rates of recognised text: PER and WER by words, CER by characters (jiwer).

The counting is that of ``pruneasr.scoring``: all errors of a set over all tokens of its
references. Phones are separated by spaces, so their error rate is one of words.
"""

from __future__ import annotations

from collections.abc import Mapping

from pruneasr.data.text import CHAR, WORD, make_splitter
from pruneasr.scoring.errors import score


def word_error_rate(
    references: Mapping[str, str], hypotheses: Mapping[str, str]
) -> float:
    """Return the error rate of what spaces separate, in percent.

    Raises:
        ValueError: The two do not have the same utterances, or nothing was said.
    """
    return score(references, hypotheses, make_splitter(WORD)).columns()["Err"]


def character_error_rate(
    references: Mapping[str, str], hypotheses: Mapping[str, str]
) -> float:
    """Return the error rate of characters, spaces included, in percent.

    Raises:
        ValueError: As in ``word_error_rate``.
    """
    return score(references, hypotheses, make_splitter(CHAR)).columns()["Err"]
