"""Checks of audio: every kind of fault is named with its utterance."""

import pytest

from pruneasr.data.audio import check_audio


def test_lengths_are_written(write_audio, write_tables):
    paths = {"a": write_audio("a.flac", 1600), "b": write_audio("b.wav", 400)}
    directory = write_tables(wav_scp=paths)
    assert check_audio(directory) == {"a": 1600, "b": 400}
    assert (directory / "utt2num_samples").read_text() == "a 1600\nb 400\n"


def test_all_faults_are_listed_together(write_audio, write_tables, tmp_path):
    noise = tmp_path / "noise.flac"
    noise.write_bytes(b"no audio at all")
    directory = write_tables(
        wav_scp={
            "gone": str(tmp_path / "gone.wav"),
            "good": write_audio("good.flac"),
            "noise": str(noise),
            "pipe": "sox x.wav -t wav - |",
            "rate": write_audio("rate.flac", rate=8000),
            "short": write_audio("short.wav", 399),
            "stereo": write_audio("stereo.flac", channels=2),
            "void": "",
            "zero": write_audio("zero.wav", 0),
        }
    )
    with pytest.raises(ValueError, match=r"audio of 8 of 9 utterances") as caught:
        check_audio(directory)
    lines = dict(
        line.strip().split(" ", 1) for line in str(caught.value).split("\n")[1:]
    )
    expected = {
        "gone": "expected an audio file, found none; correct the path",
        "noise": "expected audio that soundfile reads, found: ",
        "pipe": "expected the path of a file, found a command; run the command",
        "rate": "expected 16000 Hz, found 8000 Hz; resample",
        "short": "expected at least 400 samples (the encoder's receptive field), found "
        "399; remove",
        "stereo": "expected 1 channel, found 2; choose or mix",
        "void": "expected a path after the id, found nothing; complete the line",
        "zero": "expected speech, found zero samples; record or copy",
    }
    assert set(lines) == set(expected)
    for utterance, message in expected.items():
        assert message in lines[utterance]
    assert str(tmp_path / "rate.flac") in lines["rate"]
    assert not (directory / "utt2num_samples").exists()


def test_a_long_list_ends_with_a_count(write_tables):
    directory = write_tables(wav_scp={f"u{i:02d}": "gone.wav" for i in range(23)})
    with pytest.raises(ValueError, match=r"23 of 23 utterances") as caught:
        check_audio(directory)
    lines = str(caught.value).split("\n")
    assert len(lines) == 22
    assert lines[20].startswith("  u19 ")
    assert lines[21] == "  ... and 3 more"


def test_missing_wav_scp(tmp_path):
    with pytest.raises(ValueError, match=r"wav.scp, found none"):
        check_audio(tmp_path)


def test_empty_wav_scp(write_tables):
    with pytest.raises(ValueError, match=r"found an empty file; run the data stage"):
        check_audio(write_tables(wav_scp={}))
