"""Long recordings become short ones, without loss and only once."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pruneasr.data.pieces import cut_folder


def test_pieces_joined_are_the_recording(write_audio, tmp_path):
    path = write_audio("in/deep/Long-one.flac", 40001)
    write_audio("in/short.wav", 16000)
    utterances = cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=1.0)
    long, short = utterances[0].speaker, utterances[3].speaker
    assert re.fullmatch("extra_deep_Long_one_[0-9a-f]{10}", long)
    assert re.fullmatch("extra_short_[0-9a-f]{10}", short)
    assert [item.utterance for item in utterances] == [
        *(f"{long}-000", f"{long}-001", f"{long}-002", f"{short}-000")
    ]
    pieces = [soundfile.read(item.audio, dtype="int16") for item in utterances[:3]]
    assert [len(samples) for samples, _ in pieces] == [13334, 13334, 13333]
    assert {rate for _, rate in pieces} == {16000}
    joined = np.concatenate([samples for samples, _ in pieces])
    np.testing.assert_array_equal(joined, soundfile.read(path, dtype="int16")[0])


def test_what_is_cut_is_not_cut_again(write_audio, tmp_path):
    write_audio("in/a.wav", 16000)
    first = cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=0.5)
    kept, lost = (Path(item.audio) for item in first)
    assert kept.parent == tmp_path / "out" / "0.5s"
    lost.unlink()
    before = kept.stat().st_size
    assert cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=0.5) == first
    time = kept.stat().st_mtime_ns
    assert cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=0.5) == first
    assert (kept.stat().st_mtime_ns, kept.stat().st_size) == (time, before)


def test_another_limit_finds_no_pieces_of_the_first(write_audio, tmp_path):
    write_audio("in/a.wav", 16000)
    for limit, frames in ((0.25, 4000), (0.5, 8000)):
        pieces = cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=limit)
        assert {soundfile.info(item.audio).frames for item in pieces} == {frames}


def test_another_recording_of_a_like_name_has_its_own_pieces(write_audio, tmp_path):
    def cut(folder):
        return cut_folder(tmp_path / folder, tmp_path / "out", max_seconds=1.0)

    names = ("in/ä.wav", "in/ö.wav", "in/a/b.wav", "in/a_b.wav")
    for i, name in enumerate(names):
        write_audio(name, 8000 + i)
    lengths = [soundfile.info(item.audio).frames for item in cut("in")]
    assert sorted(lengths) == [8000, 8001, 8002, 8003]
    write_audio("other/in/a_b.wav", 9000)
    (piece,) = cut("other/in")
    assert soundfile.info(piece.audio).frames == 9000
    path = write_audio("other/in/a_b.wav", 9001)
    (piece,) = cut("other/in")
    assert soundfile.info(piece.audio).frames == 9001
    os.utime(path, (0, 0))  # of the same size, and written anew
    assert cut("other/in")[0].audio != piece.audio


@pytest.mark.parametrize("limit", [0.0, 0.049, float("nan")])
def test_pieces_are_longer_than_the_receptive_field(write_audio, tmp_path, limit):
    write_audio("in/a.wav", 801)
    with pytest.raises(ValueError, match=r"at least 0\.05 seconds"):
        cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=limit)
    pieces = cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=0.05)
    assert [soundfile.info(item.audio).frames for item in pieces] == [401, 400]


def test_other_rates_are_resampled(tmp_path):
    times = np.arange(24000) / 24000
    (tmp_path / "in").mkdir()
    soundfile.write(
        tmp_path / "in" / "a.wav", np.sin(2 * np.pi * 440 * times) / 2, 24000
    )
    (piece,) = cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=2.0)
    samples, rate = soundfile.read(piece.audio)
    assert (rate, len(samples)) == (16000, 16000)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000) / 2
    np.testing.assert_allclose(samples[500:-500], expected[500:-500], atol=1e-3)


def test_faults_are_listed_together(write_audio, tmp_path):
    write_audio("in/good.wav")
    write_audio("in/stereo.wav", channels=2)
    write_audio("in/tiny.wav", 10)
    (tmp_path / "in" / "noise.flac").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="audio of 3 of 4 utterances") as caught:
        cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=1.0)
    for name in ("extra_stereo", "extra_tiny", "extra_noise"):
        assert f"  {name}_" in str(caught.value)


def test_a_folder_without_audio_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a folder with audio"):
        cut_folder(tmp_path / "gone", tmp_path / "out", max_seconds=1.0)
    with pytest.raises(ValueError, match="files, found none"):
        cut_folder(tmp_path, tmp_path / "out", max_seconds=1.0)
