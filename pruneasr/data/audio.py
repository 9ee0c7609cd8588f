"""Read audio, and check that of a data directory before any training reads it.

Every entry of wav.scp is opened with soundfile, the library through which ESPnet will
read it. What cannot be used is reported with the utterance id and what to do; nothing
is left out silently, and nothing is converted.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pruneasr import SAMPLE_RATE
from pruneasr.data.datadir import read_table, write_table

RECEPTIVE_FIELD = 400
"""Samples under the first output frame of the convolutional feature extractor."""

MAX_LISTED = 20
"""Problems listed one by one; a wrong corpus would otherwise fill the terminal."""


def read_mono(path: str | Path) -> NDArray[np.float32]:
    """Return the samples (T,) of a file at 16 kHz.

    Raises:
        ValueError: The file is not mono at 16 kHz.
    """
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise ValueError(
            f"{path}: expected mono audio at {SAMPLE_RATE} Hz, found {rate} Hz, shape "
            f"{samples.shape}"
        )
    return np.asarray(samples)


def check_audio(directory: Path) -> dict[str, int]:
    """Check every entry of wav.scp and write utt2num_samples.

    Args:
        directory: Data directory with a wav.scp of plain paths.

    Returns:
        The number of samples of each utterance.

    Raises:
        ValueError: wav.scp is missing, empty or malformed, or audio cannot be used: all
            problems of the directory in one message (the first 20, then a count).
    """
    entries = read_table(directory / "wav.scp")
    if not entries:
        raise ValueError(
            f"{directory / 'wav.scp'}: expected `utterance path` lines, found an empty "
            "file; run the data stage again"
        )
    problems: list[str] = []
    lengths: dict[str, int] = {}
    for utterance, path in entries.items():
        found = inspect_audio(path)
        if isinstance(found, int):
            lengths[utterance] = found
        else:
            problems.append(f"{utterance} ({path or 'no path'}): {found}")
    raise_problems(f"{directory / 'wav.scp'}: audio", problems, len(entries))
    write_table(
        directory / "utt2num_samples", {key: str(n) for key, n in lengths.items()}
    )
    return lengths


def inspect_audio(path: str) -> int | str:
    """Return the length of one file in samples, or what is wrong with it."""
    if not path:
        return "expected a path after the id, found nothing; complete the line"
    if path.endswith("|"):
        return (
            "expected the path of a file, found a command; run the command and name "
            "the file it makes"
        )
    if not Path(path).is_file():
        return "expected an audio file, found none; correct the path or make the file"
    try:
        with soundfile.SoundFile(path) as audio:
            found = (audio.samplerate, audio.channels, audio.frames)
            audio.read(1)
    except soundfile.SoundFileError as error:
        return (
            f"expected audio that soundfile reads, found: {error}; convert or copy the "
            "file anew"
        )
    return _judge(*found)


def _judge(rate: int, channels: int, frames: int) -> int | str:
    if frames == 0:
        return "expected speech, found zero samples; record or copy the file anew"
    if rate != SAMPLE_RATE:
        return f"expected {SAMPLE_RATE} Hz, found {rate} Hz; resample the file"
    if channels != 1:
        return f"expected 1 channel, found {channels}; choose or mix one channel"
    if frames < RECEPTIVE_FIELD:
        return (
            f"expected at least {RECEPTIVE_FIELD} samples (the encoder's receptive "
            f"field), found {frames}; remove the utterance from the data directory"
        )
    return frames


def raise_problems(subject: str, problems: Sequence[str], total: int) -> None:
    """Raise one ValueError that lists all problems; return if there are none.

    Args:
        subject: Where the problems are, e.g. ``data/train/wav.scp: audio``.
        problems: One line per utterance that cannot be used.
        total: Number of utterances looked at.

    Raises:
        ValueError: There is a problem.
    """
    if not problems:
        return
    listed = [f"  {line}" for line in problems[:MAX_LISTED]]
    if len(problems) > MAX_LISTED:
        listed.append(f"  ... and {len(problems) - MAX_LISTED} more")
    raise ValueError(
        f"{subject} of {len(problems)} of {total} utterances cannot be used:\n"
        + "\n".join(listed)
    )
