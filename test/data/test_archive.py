"""Archives: unpacked whole, audio in them turned into FLAC, damage refused."""

import io
import tarfile

import numpy as np
import pytest
import soundfile

from pruneasr.data.archive import members, unpack, write_as_flac


def make_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_unpacking_keeps_what_is_whole(tmp_path):
    archive = tmp_path / "a.tar.gz"
    make_tar(archive, {"top/a/x": b"123", "top/a/y": b"4567", "top/z": b"8"})
    whole, half = tmp_path / "out/a/x", tmp_path / "out/a/y"
    whole.parent.mkdir(parents=True)
    whole.write_bytes(b"abc")  # of the same size: was unpacked before
    half.write_bytes(b"45")
    unpack(archive, tmp_path / "out", skip_parts=1)
    assert whole.read_bytes() == b"abc"
    assert half.read_bytes() == b"4567"
    assert (tmp_path / "out/z").read_bytes() == b"8"


def test_unpacking_refuses_damage_and_ways_out(tmp_path):
    archive = tmp_path / "a.tar.gz"
    make_tar(archive, {"a": bytes(range(256)) * 99})
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="expected a whole archive"):
        unpack(archive, tmp_path / "out")
    make_tar(archive, {"a/../../b": b"x"})
    with pytest.raises(ValueError, match="leads out of"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "b").exists()


def read_audio(archive, target):
    with members(archive) as files:
        return [write_as_flac(stream, target) for _, stream in files]


def test_audio_becomes_flac_and_damaged_audio_is_refused(tmp_path):
    archive, target = tmp_path / "a.tar.gz", tmp_path / "audio/x.flac"
    samples = np.arange(-800, 800, dtype=np.int16)
    wav = io.BytesIO()
    soundfile.write(wav, samples, 8000, format="WAV", subtype="PCM_16")
    make_tar(archive, {"x.wav": wav.getvalue()})
    assert read_audio(archive, target) == [0.2]
    found, rate = soundfile.read(target, dtype="int16")
    assert rate == 8000
    assert (found == samples).all()
    make_tar(archive, {"x.wav": b"no audio"})
    with pytest.raises(ValueError, match="expected a whole archive"):
        read_audio(archive, target)
