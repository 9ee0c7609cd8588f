"""Who speaks when: as segments, as one line of text, and as frames.

The line is ``speaker:start:end ...`` in seconds, so that a table of them has the form
of every other: ``recording value``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Segment(NamedTuple):
    """A stretch of speech of one speaker; ``start`` and ``end`` in seconds."""

    speaker: str
    start: float
    end: float


def format_segments(segments: Sequence[Segment]) -> str:
    """Return the line that stands for segments, times in milliseconds' precision."""
    return " ".join(f"{s.speaker}:{s.start:.3f}:{s.end:.3f}" for s in segments)


def parse_segments(text: str) -> list[Segment]:
    """Read segments; an empty line has none.

    Raises:
        ValueError: A word is no ``speaker:start:end`` with 0 <= start < end.
    """
    segments = []
    for word in text.split():
        speaker, _, times = word.partition(":")
        try:
            start, end = map(float, times.split(":"))
        except ValueError:
            start = end = 0.0
        if not (speaker and 0 <= start < end):
            raise ValueError(
                "expected speaker:start:end in seconds with 0 <= start < end, found "
                f"{word!r}"
            )
        segments.append(Segment(speaker, start, end))
    return segments


def frame_activity(
    segments: Sequence[Segment],
    num_frames: int,
    *,
    num_speakers: int,
    seconds_per_frame: float,
    first_centre: float,
) -> Tensor:
    """Return which speaker is active in which frame.

    Args:
        segments: Of one recording.
        num_frames: How many frames the features have.
        num_speakers: Columns; speakers take them in order of their first appearance.
        seconds_per_frame: Distance of two frames.
        first_centre: Time of the middle of frame 0, in seconds.

    Returns:
        (num_frames, num_speakers) of 0 and 1.

    Raises:
        ValueError: There are more speakers than columns.
    """
    speakers = list(dict.fromkeys(segment.speaker for segment in segments))
    if len(speakers) > num_speakers:
        raise ValueError(f"expected at most {num_speakers} speakers, found {speakers}")
    centres = first_centre + seconds_per_frame * torch.arange(num_frames)
    activity = torch.zeros(num_frames, num_speakers)
    for segment in segments:
        active = (segment.start <= centres) & (centres < segment.end)
        activity[active, speakers.index(segment.speaker)] = 1
    return activity


def active_segments(
    activity: Tensor, *, seconds_per_frame: float, first_centre: float
) -> list[Segment]:
    """Return the segments of frames, the inverse of ``frame_activity``.

    Args:
        activity: (num_frames, num_speakers) of 0 and 1; speakers are named 0, 1, ...
        seconds_per_frame: Distance of two frames.
        first_centre: Time of the middle of frame 0, in seconds.
    """
    # a frame stands for half a step before and after its middle
    first_edge = first_centre - seconds_per_frame / 2
    segments = []
    for speaker, column in enumerate(activity.T.int()):
        edges = torch.diff(column, prepend=torch.zeros(1), append=torch.zeros(1))
        changes = torch.nonzero(edges)[:, 0].tolist()
        for begin, end in zip(changes[::2], changes[1::2], strict=True):
            start = max(0.0, first_edge + begin * seconds_per_frame)
            segments.append(
                Segment(str(speaker), start, first_edge + end * seconds_per_frame)
            )
    return sorted(segments, key=lambda segment: segment.start)
