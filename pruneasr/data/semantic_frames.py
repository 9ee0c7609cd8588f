"""What an utterance means, as a sequence of words that a model can learn to write.

    order_drink size:twelve ounce roast:light roast

The intent comes first, then the slots in the order of the corpus. The first word of a
value opens its slot, so that every word but the intent is one that can be heard: a
CTC has no sound to align an opening or closing bracket with. References are read
strictly; what a model wrote may be anything and is read for what can be understood of
it. SLURP's annotated sentences are read here too.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pruneasr.data.audio import raise_problems
from pruneasr.data.datadir import read_table

OPEN = ":"
"""Stands between the name of a slot and the first word of its value."""

_SPELL = f"a {OPEN!r} opens a slot, so spell it out in a value: 7{OPEN}30 as 7 30"
_ANNOTATED = re.compile(r"\[([^\[\]:]*):([^\[\]]*)\]")


@dataclass(frozen=True)
class SemanticFrame:
    """An intent and its slots.

    Attributes:
        intent: One word.
        slots: Names and values in order; a name may occur more than once.
    """

    intent: str
    slots: tuple[tuple[str, str], ...]


def format_frame(frame: SemanticFrame) -> str:
    """Return the sequence of words that stands for a frame.

    Raises:
        ValueError: The intent is not one word or has a colon, or as ``slot_words``.
    """
    if len(frame.intent.split()) != 1 or OPEN in frame.intent:
        raise ValueError(
            f"expected one word without {OPEN!r} as intent, found {frame.intent!r}"
        )
    return " ".join([frame.intent, *words_of_slots(frame)])


def words_of_slots(frame: SemanticFrame) -> list[str]:
    """Return the words that stand for all slots; raises as ``slot_words``."""
    return [word for slot in frame.slots for word in slot_words(*slot)]


def slot_words(name: str, value: str) -> list[str]:
    """Return the words that stand for a slot, the first of which opens it.

    Raises:
        ValueError: The name is not one word that begins with a letter, it or the value
            has a colon, or there is no value.
    """
    if not _is_name(name):
        raise ValueError(
            f"expected a word that begins with a letter and has no {OPEN!r} as name of "
            f"a slot, found {name!r}"
        )
    if OPEN in value:
        raise ValueError(
            f"expected no {OPEN!r} in the value of slot {name}, found {value!r}; "
            f"{_SPELL}"
        )
    return f"{name}{OPEN}{_some_value(name, value.split())}".split()


def parse_frame(text: str, known: Collection[str] | None = None) -> SemanticFrame:
    """Read a frame strictly, as references are.

    Args:
        text: As ``format_frame`` writes it.
        known: Names that slots may have; None: any.

    Raises:
        ValueError: There is no intent, a slot is unknown, has no value or a name that
            does not begin with a letter, or a word stands outside of the slots.
    """
    if not text.split():
        raise ValueError("expected a label, found none")
    intent, *words = text.split()
    if OPEN in intent:
        raise ValueError(f"expected an intent first, found {text!r}")
    slots: list[tuple[str, list[str]]] = []
    for word in words:
        name, opens, first = word.rpartition(OPEN)
        if opens:
            slots.append((_known_name(name, known), first.split()))
        elif slots and slots[-1][1]:
            slots[-1][1].append(word)
        else:
            raise ValueError(
                f"expected all words after the intent in slots, name{OPEN}value; found "
                f"{word!r} in {text!r}"
            )
    return SemanticFrame(
        intent, tuple((name, _some_value(name, v)) for name, v in slots)
    )


def read_frame(text: str) -> SemanticFrame:
    """Read what a model wrote, leaving out what makes no sense; never fails.

    The first word is the intent unless it opens a slot. A slot without value or name is
    one too many, as SLURP's own evaluation counts it, and stays.
    """
    intent, slots = "", list[tuple[str, list[str]]]()
    for i, word in enumerate(text.split()):
        name, opens, first = word.rpartition(OPEN)
        if opens:
            slots.append((name, first.split()))
        elif slots:
            slots[-1][1].append(word)
        elif i == 0:
            intent = word
    said = tuple((name, " ".join(value)) for name, value in slots)
    return SemanticFrame(intent, said)


def parse_annotation(
    sentence: str, known: Collection[str] | None = None
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Split an annotated sentence into what is said and its slots.

    Args:
        sentence: As in SLURP: ``wake me up at [time : eight] o'clock``.
        known: Names that slots may have; None: any.

    Returns:
        The words, and the slots in the order in which they are spoken.

    Raises:
        ValueError: Brackets are not balanced, or a slot is unknown or has no value.
    """
    slots = []
    sentence = sentence.replace("[", " [")  # [a : b][c : d] are two words
    for match in _ANNOTATED.finditer(sentence):
        name = match[1].strip()
        value = _some_value(name, match[2].split())
        slots.append((_known_name(name, known), value))
    said = _ANNOTATED.sub(lambda match: match[2], sentence)
    if "[" in said or "]" in said:
        raise ValueError(f"expected balanced [name : value], found {sentence!r}")
    return " ".join(said.split()), tuple(slots)


def read_frames(
    path: Path, known: Collection[str] | None = None
) -> dict[str, SemanticFrame]:
    """Read the references of a set, ``utterance intent slot:value ...``.

    Args:
        path: A data directory's ``text``.
        known: Names that slots may have; None: any.

    Raises:
        ValueError: An utterance has no label, or one that cannot be read: all of the
            set in one message (the first 20, then a count).
    """
    texts = read_table(path)
    frames, problems = {}, []
    for utterance, text in texts.items():
        try:
            frames[utterance] = parse_frame(text, known)
        except ValueError as error:
            problems.append(f"{utterance}: {error}")
    raise_problems(f"{path}: labels", problems, len(texts))
    return frames


def _known_name(name: str, known: Collection[str] | None) -> str:
    if _is_name(name) if known is None else name in known:
        return name
    expected = "a letter first" if known is None else f"one of {sorted(known)}"
    raise ValueError(f"unknown slot: expected {expected}, found {name!r}; {_SPELL}")


def _is_name(name: str) -> bool:
    # "time:at 7:30" is no slot of name 7
    return len(name.split()) == 1 and OPEN not in name and name[0].isalpha()


def _some_value(name: str, words: list[str]) -> str:
    if not words:
        raise ValueError(f"expected a value of slot {name}, found none")
    return " ".join(words)
