"""Score what was understood: intents, slots, whole frames.

Slot F1 counts a slot as right if name and value are, over all utterances together; on
SLURP this is the entity F1. SLU-F1 is SLURP's (Bastianelli et al. 2020, section 4): a
slot whose name is right is a hit, and the distance of its value from the closest
unmatched reference of that name, word error rate or normalised edit distance of
characters, counts both as false positive and as false negative; SLU-F1 sums the counts
of both. All rates are percentages.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import jiwer

from pruneasr.data.semantic_frames import SemanticFrame
from pruneasr.scoring.errors import check_same_utterances

Slots = Sequence[tuple[str, str]]
Distance = Callable[[str, str], float]


@dataclass
class Counts:
    """Hits, false positives and false negatives; parts of one count where close."""

    hits: float = 0.0
    false_positives: float = 0.0
    false_negatives: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        """Sum counts."""
        return Counts(
            self.hits + other.hits,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
        )

    def f1(self) -> float:
        """Return the F1 in percent; 100 where there was nothing to find or to say."""
        total = 2 * self.hits + self.false_positives + self.false_negatives
        return 200 * self.hits / total if total else 100.0


def score_frames(
    references: Mapping[str, SemanticFrame], hypotheses: Mapping[str, SemanticFrame]
) -> dict[str, float]:
    """Return all rates, in percent, and ``Snt``, the number of utterances.

    ``slot_accuracy_<name>`` is the share of utterances in which that slot has the right
    values, or is rightly absent; ``slot_accuracy`` is their mean over the names that
    occur in the references.

    Raises:
        ValueError: The two do not have the same utterances.
    """
    check_same_utterances(references, hypotheses)
    pairs = [(references[name], hypotheses[name]) for name in references]
    word = _sum(distance_counts(r.slots, h.slots, word_distance) for r, h in pairs)
    char = _sum(distance_counts(r.slots, h.slots, char_distance) for r, h in pairs)
    names = sorted({name for r, _ in pairs for name, _ in r.slots})
    per_slot = {
        f"slot_accuracy_{name}": _share(
            _values(r, name) == _values(h, name) for r, h in pairs
        )
        for name in names
    }
    mean = sum(per_slot.values()) / len(names) if names else 100.0
    return {
        "Snt": len(pairs),
        "intent_accuracy": _share(r.intent == h.intent for r, h in pairs),
        "slot_f1": _sum(exact_counts(r.slots, h.slots) for r, h in pairs).f1(),
        "slu_f1_word": word.f1(),
        "slu_f1_char": char.f1(),
        "slu_f1": (word + char).f1(),
        "joint_accuracy": _share(
            r.intent == h.intent and Counter(r.slots) == Counter(h.slots)
            for r, h in pairs
        ),
        "slot_accuracy": mean,
        **per_slot,
    }


def exact_counts(reference: Slots, hypothesis: Slots) -> Counts:
    """Count slots of one utterance that agree in name and value."""
    hits = (Counter(reference) & Counter(hypothesis)).total()
    return Counts(hits, len(hypothesis) - hits, len(reference) - hits)


def distance_counts(reference: Slots, hypothesis: Slots, distance: Distance) -> Counts:
    """Count slots of one utterance, each as right as its value is close.

    Args:
        reference: Slots that were meant.
        hypothesis: Slots that were understood, matched in their order.
        distance: Of a reference value and a hypothesis value.
    """
    left = list(reference)
    counts = Counts()
    for name, value in hypothesis:
        same = [i for i, (other, _) in enumerate(left) if other == name]
        if not same:
            counts.false_positives += 1
            continue
        distances = {i: distance(left[i][1], value) for i in same}
        closest = min(same, key=distances.__getitem__)
        counts += Counts(1, distances[closest], distances[closest])
        del left[closest]
    counts.false_negatives += len(left)
    return counts


def word_distance(reference: str, hypothesis: str) -> float:
    """Return the word error rate, which exceeds 1 where much was added."""
    return float(jiwer.wer(reference, hypothesis))


def char_distance(reference: str, hypothesis: str) -> float:
    """Return the edit distance of the characters over the longer length, 0 to 1."""
    output = jiwer.process_characters(reference, hypothesis)
    edits = output.substitutions + output.deletions + output.insertions
    return float(edits / max(len(reference), len(hypothesis)))


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def _share(right: Iterable[bool]) -> float:
    values = list(right)
    return 100 * sum(values) / len(values)


def _values(frame: SemanticFrame, name: str) -> Counter[str]:
    return Counter(value for other, value in frame.slots if other == name)
