"""Long recordings become short ones, without loss and only once."""

import numpy as np
import pytest
import soundfile

from pruneasr.data.pieces import cut_folder


def test_pieces_joined_are_the_recording(write_audio, tmp_path):
    path = write_audio("in/deep/Long-one.flac", 40001)
    write_audio("in/short.wav", 16000)
    utterances = cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=1.0)
    assert [item.utterance for item in utterances] == [
        "extra_deep_Long_one-000",
        "extra_deep_Long_one-001",
        "extra_deep_Long_one-002",
        "extra_short-000",
    ]
    assert utterances[0].speaker == "extra_deep_Long_one"
    pieces = [soundfile.read(item.audio, dtype="int16") for item in utterances[:3]]
    assert [len(samples) for samples, _ in pieces] == [13334, 13334, 13333]
    assert {rate for _, rate in pieces} == {16000}
    joined = np.concatenate([samples for samples, _ in pieces])
    np.testing.assert_array_equal(joined, soundfile.read(path, dtype="int16")[0])


def test_what_is_cut_is_not_cut_again(write_audio, tmp_path):
    write_audio("in/a.wav", 16000)
    first = cut_folder(tmp_path / "in", tmp_path / "out", max_seconds=0.5)
    kept = tmp_path / "out" / "0.5s" / "extra_a-000.flac"
    (tmp_path / "out" / "0.5s" / "extra_a-001.flac").unlink()
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
        assert f"  {name} (" in str(caught.value)


def test_a_folder_without_audio_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a folder with audio"):
        cut_folder(tmp_path / "gone", tmp_path / "out", max_seconds=1.0)
    with pytest.raises(ValueError, match="files, found none"):
        cut_folder(tmp_path, tmp_path / "out", max_seconds=1.0)
