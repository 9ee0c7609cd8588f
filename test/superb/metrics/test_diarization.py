"""Segments, frames, and the diarisation error rate worked by hand."""

import pytest
import torch

from pruneasr.superb.metrics.diarization import diarization_error_rate
from pruneasr.superb.segments import (
    Segment,
    active_segments,
    format_segments,
    frame_activity,
    parse_segments,
)

FRAMES = {"seconds_per_frame": 0.02, "first_centre": 0.0125}


def rate(reference, hypothesis, **options):
    pytest.importorskip(
        "pyannote.metrics", reason="pyannote.metrics scores diarisation; not installed"
    )
    return diarization_error_rate(
        {"r": parse_segments(reference)}, {"r": parse_segments(hypothesis)}, **options
    )


def test_names_of_speakers_are_free():
    assert rate("a:0:4 b:4:10", "1:4:10 0:0:4") == 0


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        ("", 100),  # all missed
        ("0:0:10", 40),  # 4 of 10 seconds given to the wrong speaker
        ("0:0:5 1:5:10", 10),  # 1 second of confusion
        ("0:0:4 1:4:10 1:10:12", 20),  # 2 seconds of false alarm
        ("0:0:4 1:4:10 1:0:3", 30),  # 3 seconds of overlap that is none
    ],
)
def test_rate_by_hand(hypothesis, expected):
    assert rate("a:0:4 b:4:10", hypothesis) == pytest.approx(expected)


def test_overlap_counts_for_both_speakers():
    # 10 + 5 seconds of speech, the second speaker missed
    assert rate("a:0:10 b:5:10", "0:0:10") == pytest.approx(100 / 3)


def test_collar_forgives_near_boundaries():
    # 0.5 s of confusion, of which 0.25 s is forgiven; 4 collars leave 10 - 1 seconds
    reference, hypothesis = "a:0:4 b:4:10", "0:0:4.5 1:4.5:10"
    assert rate(reference, hypothesis) == pytest.approx(5)
    assert rate(reference, hypothesis, collar=0.25) == pytest.approx(100 * 0.25 / 9)


def test_a_set_is_scored_as_one():
    pytest.importorskip(
        "pyannote.metrics", reason="pyannote.metrics scores diarisation; not installed"
    )
    references = {"x": [Segment("a", 0, 1)], "y": [Segment("a", 0, 9)]}
    hypotheses = {"x": [], "y": references["y"]}
    assert diarization_error_rate(references, hypotheses) == pytest.approx(10)
    with pytest.raises(ValueError, match="1 missing"):
        diarization_error_rate(references, {"x": []})
    with pytest.raises(ValueError, match="with speech, found none"):
        diarization_error_rate({"x": []}, {"x": []})


def test_segments_are_written_and_read():
    segments = [Segment("19", 0.0, 1.25), Segment("26", 1.0, 2.5)]
    assert format_segments(segments) == "19:0.000:1.250 26:1.000:2.500"
    assert parse_segments(format_segments(segments)) == segments
    assert parse_segments("") == []


@pytest.mark.parametrize("text", ["a:1", "a:2:1", "a:-1:1", ":0:1", "a:x:1", "a:0:1:2"])
def test_wrong_segments_are_refused(text):
    with pytest.raises(ValueError, match="expected speaker:start:end"):
        parse_segments(text)


def test_frames_by_hand():
    # middles at 12.5, 32.5, 52.5 and 72.5 ms
    segments = [Segment("b", 0.03, 0.06), Segment("a", 0.05, 1.0)]
    activity = frame_activity(segments, 4, num_speakers=2, **FRAMES)
    assert activity.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]
    with pytest.raises(ValueError, match="at most 1 speakers"):
        frame_activity(segments, 4, num_speakers=1, **FRAMES)


def test_segments_and_frames_are_inverse():
    generator = torch.Generator().manual_seed(0)
    activity = (torch.rand(50, 2, generator=generator) < 0.5).float()
    # speakers take their columns in the order in which they appear
    activity[0] = torch.tensor([1.0, 0.0])
    segments = active_segments(activity, **FRAMES)
    again = frame_activity(segments, 50, num_speakers=2, **FRAMES)
    assert torch.equal(again, activity)
