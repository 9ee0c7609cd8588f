"""Count the errors of recognised text against the transcripts.

Words, characters or BPE pieces are aligned by jiwer with the fewest errors, each error
weighing the same. (sclite weighs a substitution 4 and the others 3, so it may split the
errors otherwise; the sum differs seldom and by little.) Nothing is normalised except
white space.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jiwer

from pruneasr.data.datadir import sort_key
from pruneasr.data.text import Splitter

GAP = "***"
"""Stands where one side of an alignment has nothing."""

_MARKS = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}


@dataclass(frozen=True)
class AlignedUtterance:
    """Reference and hypothesis of one utterance, token beside token.

    Attributes:
        utterance: Id.
        reference: Tokens, ``GAP`` where the hypothesis has one too many.
        hypothesis: Tokens, ``GAP`` where it lacks one; as long as ``reference``.
        marks: ``S``, ``D``, ``I`` or empty for each pair.
    """

    utterance: str
    reference: tuple[str, ...]
    hypothesis: tuple[str, ...]
    marks: tuple[str, ...]

    @property
    def num_errors(self) -> int:
        """Number of substitutions, deletions and insertions."""
        return sum(mark != "" for mark in self.marks)


@dataclass(frozen=True)
class Score:
    """Errors of a set of utterances; the rates are percentages.

    Attributes:
        utterances: All utterances, aligned, sorted by id.
        num_tokens: Tokens of the references.
        hits: Reference tokens that were recognised.
        substitutions: Reference tokens taken for others.
        deletions: Reference tokens that were missed.
        insertions: Recognised tokens that nobody said.
    """

    utterances: tuple[AlignedUtterance, ...]
    num_tokens: int
    hits: int
    substitutions: int
    deletions: int
    insertions: int

    def columns(self) -> dict[str, float]:
        """Return ESPnet's columns: two counts, then percentages, unrounded."""
        errors = self.substitutions + self.deletions + self.insertions
        wrong = sum(item.num_errors > 0 for item in self.utterances)
        return {
            "Snt": len(self.utterances),
            "Wrd": self.num_tokens,
            "Corr": 100 * self.hits / self.num_tokens,
            "Sub": 100 * self.substitutions / self.num_tokens,
            "Del": 100 * self.deletions / self.num_tokens,
            "Ins": 100 * self.insertions / self.num_tokens,
            "Err": 100 * errors / self.num_tokens,
            "S.Err": 100 * wrong / len(self.utterances),
        }


def score(
    references: Mapping[str, str], hypotheses: Mapping[str, str], splitter: Splitter
) -> Score:
    """Align all utterances and count the errors.

    Args:
        references: Transcript of each utterance.
        hypotheses: Recognised text of each utterance; it may be empty.
        splitter: Splits text into the tokens that are counted.

    Raises:
        ValueError: The two do not have the same utterances, or nothing was said.
    """
    check_same_utterances(references, hypotheses)
    names = sorted(references, key=sort_key)
    output = jiwer.process_words(
        [_tokens(references[name], splitter) for name in names],
        [_tokens(hypotheses[name], splitter) for name in names],
    )
    num_tokens = output.hits + output.substitutions + output.deletions
    if num_tokens == 0:
        raise ValueError("expected references with words, found empty ones only")
    rows = zip(
        names, output.references, output.hypotheses, output.alignments, strict=True
    )
    return Score(
        utterances=tuple(_align(*row) for row in rows),
        num_tokens=num_tokens,
        hits=output.hits,
        substitutions=output.substitutions,
        deletions=output.deletions,
        insertions=output.insertions,
    )


def check_same_utterances(
    references: Mapping[str, Any], hypotheses: Mapping[str, Any]
) -> None:
    """Refuse hypotheses that are not those of the references, or no references.

    Raises:
        ValueError: The two do not have the same utterances.
    """
    missing = sorted(set(references) - set(hypotheses), key=sort_key)
    extra = sorted(set(hypotheses) - set(references), key=sort_key)
    if missing or extra:
        raise ValueError(
            f"expected one hypothesis for each of the {len(references)} references, "
            f"found {len(missing)} missing {missing[:5]} and {len(extra)} without a "
            f"reference {extra[:5]}; decode the same set again"
        )
    if not references:
        raise ValueError("expected references, found none")


def _tokens(text: str, splitter: Splitter) -> str:
    return " ".join(splitter(" ".join(text.split())))


def _align(
    utterance: str,
    reference: list[str],
    hypothesis: list[str],
    chunks: list[jiwer.AlignmentChunk],
) -> AlignedUtterance:
    pairs: list[tuple[str, str, str]] = []
    for chunk in chunks:
        said = reference[chunk.ref_start_idx : chunk.ref_end_idx]
        heard = hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]
        length = max(len(said), len(heard))
        said = said or [GAP] * length
        heard = heard or [GAP] * length
        marks = [_MARKS[chunk.type]] * length
        pairs += zip(said, heard, marks, strict=True)
    columns = tuple(zip(*pairs, strict=True)) or ((), (), ())
    return AlignedUtterance(utterance, *columns)
