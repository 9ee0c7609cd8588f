"""Cut long recordings into pieces for training without transcripts.

Pre-training and distillation need audio only, and batches of long recordings waste
memory. Each recording is cut into equal pieces no longer than a limit and written as
FLAC at 16 kHz. No silence is looked for: a cut inside a word does
no harm where there is no transcript.
"""

import hashlib
import math
import os
import re
from pathlib import Path

import numpy as np
import soundfile

from pruneasr import SAMPLE_RATE
from pruneasr.data.audio import RECEPTIVE_FIELD, raise_problems
from pruneasr.data.datadir import Utterance
from pruneasr.data.waveform import resample, write_flac

SUFFIXES = frozenset({".flac", ".ogg", ".opus", ".sph", ".wav"})
DIGEST_CHARACTERS = 10
"""40 bits: of a million recordings of one name two might agree."""


def cut_folder(source: Path, target: Path, *, max_seconds: float) -> list[Utterance]:
    """Cut every recording below a folder; what is already cut is not cut again.

    Args:
        source: Folder that is searched for audio, with its sub-folders.
        target: Folder that receives ``<limit>s/<recording>-<piece>.flac``; pieces of
            another limit or recording lie beside them and are never taken for these.
        max_seconds: Longest piece in seconds; twice the receptive field or more, so
            that no piece is shorter than it.

    Returns:
        One utterance per piece; the recording stands for the speaker, because folders
        of untranscribed audio seldom say who speaks.

    Raises:
        ValueError: No folder, no audio in it, recordings that cannot be used, or too
            short a limit.
    """
    least = 2 * RECEPTIVE_FIELD / SAMPLE_RATE
    if not max_seconds >= least:
        raise ValueError(
            f"expected pieces of at least {least} seconds, found {max_seconds}; raise "
            "--max-seconds"
        )
    if not source.is_dir():
        raise ValueError(f"expected a folder with audio at {source}, found none")
    recordings = sorted(
        path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES
    )
    if not recordings:
        raise ValueError(f"{source}: expected {sorted(SUFFIXES)} files, found none")
    target = target / f"{max_seconds:g}s"
    target.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    utterances: list[Utterance] = []
    for path in recordings:
        name = recording_id(path, source)
        try:
            pieces = _cut_recording(path, target, name, max_seconds)
        except (ValueError, soundfile.SoundFileError) as error:
            problems.append(f"{name} ({path}): {error}")
            continue
        utterances += [Utterance(p.stem, name, str(p)) for p in pieces]
    raise_problems(f"{source}: audio", problems, len(recordings))
    return utterances


def recording_id(path: Path, source: Path) -> str:
    """Make an id of letters, digits and ``_`` of a recording below a folder.

    It ends in a digest of place, size and time of change, so that another recording of
    a like name, in this folder or another, or a changed one, has another id.
    """
    status = path.stat()
    whole = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    digest = hashlib.sha256(os.fsencode(whole)).hexdigest()[:DIGEST_CHARACTERS]
    name = re.sub("[^A-Za-z0-9]", "_", str(path.relative_to(source).with_suffix("")))
    return f"extra_{name}_{digest}"


def _cut_recording(
    path: Path, target: Path, name: str, max_seconds: float
) -> list[Path]:
    info = soundfile.info(path)
    if info.channels != 1:
        raise ValueError(f"expected 1 channel, found {info.channels}; mix it down")
    num_samples = info.frames * SAMPLE_RATE // info.samplerate
    if num_samples < RECEPTIVE_FIELD:
        raise ValueError(
            f"expected at least {RECEPTIVE_FIELD} samples at {SAMPLE_RATE} Hz, found "
            f"{num_samples}; remove the file"
        )
    num_pieces = math.ceil(num_samples / (max_seconds * SAMPLE_RATE))
    pieces = [target / f"{name}-{index:03d}.flac" for index in range(num_pieces)]
    if all(piece.exists() for piece in pieces):
        return pieces
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        samples = resample(samples, rate, SAMPLE_RATE)
    for piece, part in zip(pieces, np.array_split(samples, num_pieces), strict=True):
        write_flac(piece, part, SAMPLE_RATE)
    return pieces
