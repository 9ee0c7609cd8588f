"""Write and read data directories in Kaldi's layout.

A data directory holds tables: one line per utterance, the utterance id first, sorted by
the id as the C locale sorts. ``wav.scp`` names the audio, ``text`` the transcript,
``utt2spk`` and ``spk2utt`` the speaker. This file knows their layout only; whether the
audio can be used is checked in audio.py, whether the transcripts can in text.py.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pruneasr.files import write_atomic


@dataclass(frozen=True)
class Utterance:
    """One utterance of a corpus.

    Attributes:
        utterance: Id, unique in its data directory. It starts with the speaker id, so
            that sorting by utterance also sorts by speaker, as Kaldi's tools expect.
        speaker: Id of who speaks; use the recording id where nobody knows.
        audio: Path as it will stand in wav.scp.
        text: Transcript, or None for untranscribed audio.
    """

    utterance: str
    speaker: str
    audio: str
    text: str | None = None


def sort_key(name: str) -> bytes:
    """Return the key that orders ids as ``LC_ALL=C sort`` does."""
    return name.encode("utf-8")


def write_table(path: Path, table: Mapping[str, str]) -> None:
    """Write ``id value`` lines, sorted by id."""
    lines = [f"{key} {table[key]}".rstrip() for key in sorted(table, key=sort_key)]
    write_atomic(path, "".join(f"{line}\n" for line in lines))


def read_table(path: Path) -> dict[str, str]:
    """Read ``id value`` lines; a value may be empty and may hold spaces.

    Raises:
        ValueError: The file is missing, is not UTF-8, has a line without an id, or an
            id twice.
    """
    if not path.is_file():
        raise ValueError(f"expected a file of `id value` lines at {path}, found none")
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text, found {error}") from error
    if lines[-1] == "":
        lines.pop()
    table: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        key, _, value = line.replace("\t", " ").partition(" ")
        if not key:
            raise ValueError(f"{path}:{number}: expected `id value`, found {line!r}")
        if key in table:
            raise ValueError(f"{path}:{number}: expected an id once, found {key} again")
        table[key] = value.strip()
    return table


def write_data_dir(directory: Path, utterances: Sequence[Utterance]) -> None:
    """Write wav.scp, utt2spk, spk2utt and, when all have a transcript, text.

    ``wav.scp`` is written last: where it stands, the directory is whole.

    Raises:
        ValueError: No utterances, an id twice, ids with white space, speakers that sort
            otherwise than their utterances, or transcripts for some utterances only.
    """
    _check_utterances(directory, utterances)
    directory.mkdir(parents=True, exist_ok=True)
    speakers: dict[str, list[str]] = {}
    for item in sorted(utterances, key=lambda item: sort_key(item.utterance)):
        speakers.setdefault(item.speaker, []).append(item.utterance)
    texts = {u.utterance: u.text for u in utterances if u.text is not None}
    if texts:
        write_table(directory / "text", texts)
    write_table(directory / "utt2spk", {u.utterance: u.speaker for u in utterances})
    write_table(
        directory / "spk2utt", {name: " ".join(ids) for name, ids in speakers.items()}
    )
    write_table(directory / "wav.scp", {u.utterance: u.audio for u in utterances})


def _check_utterances(directory: Path, utterances: Sequence[Utterance]) -> None:
    if not utterances:
        raise ValueError(f"{directory}: expected utterances, found none")
    ids = [item.utterance for item in utterances]
    if len(set(ids)) < len(ids):
        twice = sorted(name for name, count in Counter(ids).items() if count > 1)
        raise ValueError(f"{directory}: expected each id once, found twice: {twice}")
    spaced = [u for u in utterances if len(f"{u.utterance} {u.speaker}".split()) != 2]
    if spaced:
        raise ValueError(
            f"{directory}: expected ids without white space, found {spaced[0]}"
        )
    ordered = sorted(utterances, key=lambda item: sort_key(item.utterance))
    speakers = [item.speaker for item in ordered]
    if speakers != sorted(speakers, key=sort_key):
        raise ValueError(
            f"{directory}: expected utterance ids that sort like their speakers (begin "
            "each with the speaker id and a hyphen, use no hyphen in the speaker id)"
        )
    missing = [item.utterance for item in utterances if item.text is None]
    if 0 < len(missing) < len(utterances):
        raise ValueError(
            f"{directory}: expected a transcript for all utterances or for none, "
            f"{len(missing)} lack one, {missing[0]} among them"
        )


def read_data_dir(directory: Path) -> list[Utterance]:
    """Read a data directory, in the order of wav.scp.

    Raises:
        ValueError: A table is broken, or utt2spk or text names other utterances than
            wav.scp does.
    """
    audio = read_table(directory / "wav.scp")
    speakers = read_table(directory / "utt2spk")
    tables = {"utt2spk": speakers}
    texts: dict[str, str] | None = None
    if (directory / "text").exists():
        texts = read_table(directory / "text")
        tables["text"] = texts
    for name, table in tables.items():
        different = sorted(set(table) ^ set(audio), key=sort_key)
        if different:
            raise ValueError(
                f"{directory}: expected the same utterances in wav.scp and {name}, "
                f"found {len(different)} in one of them only, {different[0]} among them"
            )
    return [
        Utterance(name, speakers[name], path, None if texts is None else texts[name])
        for name, path in audio.items()
    ]


def combine_without_text(parts: Iterable[Sequence[Utterance]]) -> list[Utterance]:
    """Join corpora for training without transcripts; the transcripts are left out."""
    return [
        Utterance(item.utterance, item.speaker, item.audio)
        for part in parts
        for item in part
    ]
