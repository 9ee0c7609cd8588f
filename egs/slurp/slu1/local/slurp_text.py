"""SLURP's annotation: one JSON object per line, read strictly.

The entities are those that SLURP's own evaluation takes as gold: the surfaces of their
tokens, in lower case, where "today's" is two. What is said is the annotated sentence.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from pruneasr.data.audio import raise_problems
from pruneasr.data.semantic_frames import (
    SemanticFrame,
    format_frame,
    parse_annotation,
    parse_frame,
)

# All types of entities of SLURP's real part; another one is a mistake in the annotation
_TYPES = """
alarm_type app_name artist_name audiobook_author audiobook_name business_name
business_type change_amount coffee_type color_type cooking_type currency_name date
definition_word device_type drink_type email_address email_folder event_name food_type
game_name game_type general_frequency house_place ingredient joke_type list_name
meal_type media_type movie_name movie_type music_album music_descriptor music_genre
news_topic order_type person personal_info place_name player_setting playlist_name
podcast_descriptor podcast_name radio_name relation song_name sport_type time time_zone
timeofday transport_agency transport_descriptor transport_name transport_type
weather_descriptor
"""
SLOTS = frozenset(_TYPES.split())
_POSSESSIVE = re.compile(r"(?<=\w)'s\b")  # a token of its own in SLURP


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Attributes:
        name: Number in the corpus.
        spoken: The words.
        text: Intent (scenario_action) and entities as words.
        recordings: Names of audio files; none in text that was never recorded.
    """

    name: str
    spoken: str
    text: str
    recordings: tuple[str, ...]


def read_sentences(path: Path) -> list[Sentence]:
    """Read a file of annotated sentences.

    Raises:
        ValueError: There is no file, or sentences lack a label, have unbalanced
            brackets, an unknown slot or a value with a colon: all in one message.
    """
    if not path.is_file():
        raise ValueError(f"expected SLURP's text at {path}, found no file")
    sentences, problems = [], []
    # not splitlines, for which some characters within strings end a line
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        try:
            sentences.append(_sentence(json.loads(line)))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"line {number}: {_reason(error)}")
    raise_problems(f"{path}: labels", problems, len(lines))
    return sentences


def _sentence(entry: dict) -> Sentence:
    label = ("scenario", "action", "sentence_annotation")
    missing = [name for name in label if not entry[name]]
    if missing:
        raise ValueError(f"expected a label, found no {' and no '.join(missing)}")
    spoken, slots = parse_annotation(entry["sentence_annotation"].lower(), SLOTS)
    if "slurp_id" in entry:
        name, slots = entry["slurp_id"], _gold(entry)
    else:  # nlu_evaluation_data, which has no tokens
        name = entry["nlu_id"]
        slots = tuple((type_, _POSSESSIVE.sub(" 's", value)) for type_, value in slots)
    text = format_frame(SemanticFrame(f"{entry['scenario']}_{entry['action']}", slots))
    parse_frame(text, SLOTS)
    recordings = tuple(item["file"] for item in entry.get("recordings", ()))
    return Sentence(str(name), spoken, text, recordings)


def _gold(entry: dict) -> tuple[tuple[str, str], ...]:
    surfaces = {i: token["surface"].lower() for i, token in enumerate(entry["tokens"])}
    return tuple(
        (entity["type"], " ".join(surfaces[i] for i in entity["span"]))
        for entity in entry["entities"]
    )


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):  # a server may send a page instead
        return (
            f"expected a JSON object, found {error.doc[:40]!r}; if this is not SLURP's "
            "text, remove the file and run the command again, which downloads it"
        )
    missing = isinstance(error, KeyError)
    return f"expected a label, found no {error}" if missing else str(error)
