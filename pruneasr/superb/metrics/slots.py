"""Slot filling: slot type F1 and slot value CER, as s3prl defines them.

A slot is ``B-<type> value E-<type>`` in the text. s3prl's official code
(downstream/ctc/metric.py) gives the rules: the F1 is that of the *set* of types in an
utterance, averaged over utterances; for the CER each reference value meets the nearest
hypothesis value of its type (more than one may meet the same), a type that is absent
costs its whole value, and what was said too much costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from statistics import fmean

import jiwer

from pruneasr.scoring.errors import check_same_utterances

BEGIN, END = "B-", "E-"
"""How the tags of a slot begin."""

_SLOT = re.compile(r"B-(\S+) (.+?) E-\1(?!\S)")
_TAG = re.compile(r"[BE]-\S+")

Slots = dict[str, list[str]]


def slots_of(text: str) -> Slots:
    """Return the values of every slot type; tags that match no other are left out."""
    slots: Slots = {}
    for kind, value in _SLOT.findall(" ".join(text.split())):
        words = _TAG.sub(" ", value).split()
        slots.setdefault(kind, []).append(" ".join(words))
    return slots


def slot_type_f1(references: Mapping[str, str], hypotheses: Mapping[str, str]) -> float:
    """Return the F1 of slot types in percent, the mean over utterances.

    An utterance without slots counts 100 if none were found in it, else 0.

    Raises:
        ValueError: The two do not have the same utterances.
    """
    check_same_utterances(references, hypotheses)
    return 100 * fmean(
        _set_f1(set(slots_of(references[name])), set(slots_of(hypotheses[name])))
        for name in references
    )


def slot_value_cer(
    references: Mapping[str, str], hypotheses: Mapping[str, str]
) -> float:
    """Return the character error rate of slot values in percent.

    Raises:
        ValueError: The two do not have the same utterances, or no reference has slots.
    """
    check_same_utterances(references, hypotheses)
    errors = total = 0
    for name, text in references.items():
        found = slots_of(hypotheses[name])
        for kind, values in slots_of(text).items():
            for value in values:
                candidates = found.get(kind, [""])
                errors += min(_edits(value, candidate) for candidate in candidates)
                total += len(value)
    if total == 0:
        raise ValueError("expected references with slots, found none")
    return 100 * errors / total


def _set_f1(reference: set[str], hypothesis: set[str]) -> float:
    if not reference and not hypothesis:
        return 1.0
    return 2 * len(reference & hypothesis) / (len(reference) + len(hypothesis))


def _edits(reference: str, hypothesis: str) -> int:
    output = jiwer.process_characters(reference, hypothesis)
    return int(output.substitutions + output.deletions + output.insertions)
