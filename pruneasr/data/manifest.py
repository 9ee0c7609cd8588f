"""Corpora described by one manifest.tsv: path, duration, speaker, text, label, split.

The manifest lies in the folder of the corpus and its paths are relative to that folder.
This file reads and writes the table; it opens no audio.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pruneasr.files import write_atomic

COLUMNS = ("path", "duration", "speaker", "text", "label", "split")


@dataclass(frozen=True)
class ManifestRow:
    """One recording of a corpus.

    Attributes:
        path: Relative to the folder of the manifest.
        duration: Seconds, as text with three decimals.
        speaker: Speaker id.
        text: Transcript; empty where there is none.
        label: Whatever else the corpus says about the recording.
        split: Part of the corpus, e.g. train or test.
    """

    path: str
    duration: str
    speaker: str
    text: str
    label: str
    split: str


def read_manifest(folder: Path) -> list[ManifestRow]:
    """Read manifest.tsv of a corpus folder.

    Raises:
        ValueError: There is no manifest, its columns are others, or it has no rows.
    """
    path = folder / "manifest.tsv"
    if not path.is_file():
        raise ValueError(f"expected the corpus's table at {path}, found no file")
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        lines = [tuple(line) for line in reader]
    if not lines or lines[0] != COLUMNS:
        found = lines[0] if lines else "an empty file"
        raise ValueError(f"{path}: expected the columns {COLUMNS}, found {found}")
    if len(lines) == 1:
        raise ValueError(f"{path}: expected recordings, found the header only")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(COLUMNS):
            raise ValueError(
                f"{path}:{number}: expected {len(COLUMNS)} columns, found {len(line)}"
            )
    return [ManifestRow(*line) for line in lines[1:]]


def write_manifest(folder: Path, rows: Sequence[ManifestRow]) -> None:
    """Write manifest.tsv into a corpus folder, whole or not at all."""
    lines = ["\t".join(COLUMNS)]
    lines += [
        "\t".join((r.path, r.duration, r.speaker, r.text, r.label, r.split))
        for r in rows
    ]
    write_atomic(folder / "manifest.tsv", "\n".join(lines) + "\n")
