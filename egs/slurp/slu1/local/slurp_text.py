"""SLURP's annotation: one JSON object per line, read strictly."""

import json
from dataclasses import dataclass
from pathlib import Path

from pruneasr.data.audio import raise_problems
from pruneasr.data.semantic_frames import SemanticFrame, format_frame, parse_annotation

# All types of entities of the corpus; another one is a mistake in the annotation
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


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Attributes:
        name: Number in the corpus.
        spoken: The words.
        text: Intent (scenario_action) and slots as words.
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
            brackets or an unknown slot: all in one message.
    """
    if not path.is_file():
        raise ValueError(f"expected SLURP's text at {path}, found no file")
    sentences, problems = [], []
    lines = path.read_text(encoding="utf-8").splitlines()
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
    frame = SemanticFrame(f"{entry['scenario']}_{entry['action']}", slots)
    recordings = tuple(item["file"] for item in entry.get("recordings", ()))
    name = str(entry["slurp_id"] if "slurp_id" in entry else entry["nlu_id"])
    return Sentence(name, spoken, format_frame(frame), recordings)


def _reason(error: Exception) -> str:
    missing = isinstance(error, KeyError)
    return f"expected a label, found no {error}" if missing else str(error)
