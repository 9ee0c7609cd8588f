"""Cut long recordings into pieces for training without transcripts.

Pre-training and distillation need audio only, and batches of long recordings waste
memory. Each recording is cut into equal pieces no longer than a limit and written as
FLAC at the expected sampling rate. No silence is looked for: a cut inside a word does
no harm where there is no transcript.
"""

import math
import re
from pathlib import Path

import numpy as np
import soundfile

from pruneasr import SAMPLE_RATE
from pruneasr.data.audio import RECEPTIVE_FIELD, raise_problems
from pruneasr.data.datadir import Utterance
from pruneasr.data.waveform import resample, write_flac

SUFFIXES = frozenset({".flac", ".ogg", ".opus", ".sph", ".wav"})


def cut_folder(
    source: Path,
    target: Path,
    *,
    max_seconds: float,
    sample_rate: int = SAMPLE_RATE,
) -> list[Utterance]:
    """Cut every recording below a folder; what is already cut is not cut again.

    Args:
        source: Folder that is searched for audio, with its sub-folders.
        target: Folder that receives ``<limit>s/<recording>-<piece>.flac``; pieces of
            another limit lie beside them and are never taken for these.
        max_seconds: Longest piece in seconds.
        sample_rate: Sampling rate of the pieces in Hz; others are resampled.

    Returns:
        One utterance per piece; the recording stands for the speaker, because folders
        of untranscribed audio seldom say who speaks.

    Raises:
        ValueError: No folder, no audio in it, or recordings that cannot be used.
    """
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
        name = recording_id(path.relative_to(source))
        try:
            pieces = _cut_recording(path, target, name, max_seconds, sample_rate)
        except (ValueError, soundfile.SoundFileError) as error:
            problems.append(f"{name} ({path}): {error}")
            continue
        utterances += [Utterance(p.stem, name, str(p)) for p in pieces]
    raise_problems(f"{source}: audio", problems, len(recordings))
    return utterances


def recording_id(path: Path) -> str:
    """Make an id of letters, digits and ``_`` from a path relative to the corpus."""
    return "extra_" + re.sub("[^A-Za-z0-9]", "_", str(path.with_suffix("")))


def _cut_recording(
    path: Path, target: Path, name: str, max_seconds: float, sample_rate: int
) -> list[Path]:
    info = soundfile.info(path)
    if info.channels != 1:
        raise ValueError(f"expected 1 channel, found {info.channels}; mix it down")
    num_samples = info.frames * sample_rate // info.samplerate
    if num_samples < RECEPTIVE_FIELD:
        raise ValueError(
            f"expected at least {RECEPTIVE_FIELD} samples at {sample_rate} Hz, found "
            f"{num_samples}; remove the file"
        )
    num_pieces = math.ceil(num_samples / (max_seconds * sample_rate))
    pieces = [target / f"{name}-{index:03d}.flac" for index in range(num_pieces)]
    if all(piece.exists() for piece in pieces):
        return pieces
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != sample_rate:
        samples = resample(samples, rate, sample_rate)
    for piece, part in zip(pieces, np.array_split(samples, num_pieces), strict=True):
        write_flac(piece, part, sample_rate)
    return pieces
