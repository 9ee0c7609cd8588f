"""Archives: unpacked whole, audio in them turned into FLAC, damage refused."""

import gzip
import io

import numpy as np
import pytest
import soundfile
from archives import make_tar

from pruneasr.data.archive import members, run, unpack, write_as_flac


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


def half(content):
    return content[: len(content) // 2]


def wrong_checksum(content):
    return content[:-8] + bytes(4) + content[-4:]


def damaged_header(content):
    """The second of two members, which begins after the header and block of "a"."""
    tar = bytearray(gzip.decompress(content))
    tar[1024:1030] = b"damage"
    return gzip.compress(tar)


def no_end_of_archive(content):
    return gzip.compress(gzip.decompress(content)[:2048])


DAMAGES = (half, wrong_checksum, damaged_header, no_end_of_archive)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_refused(tmp_path, damage):
    archive = tmp_path / "a.tar.gz"
    make_tar(archive, {"a": bytes(512), "b": bytes(512)})
    unpack(archive, tmp_path / "whole")
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(ValueError, match=r"tar\.gz: expected a whole archive.*again"):
        unpack(archive, tmp_path / "out")


def test_ways_out_are_refused(tmp_path):
    archive = tmp_path / "a.tar.gz"
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


def test_a_corpus_that_cannot_be_converted_is_a_line(tmp_path, monkeypatch, capsys):
    def convert(path, _):
        with members(path):
            pass

    (tmp_path / "a.tar.gz").write_bytes(b"no archive")
    url = (tmp_path / "a.tar.gz").as_uri()
    command = ["local/download_it.py", str(tmp_path / "corpus"), "--url", url]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit, match="1"):
        run(convert, "a.tar.gz", "a corpus")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"download_it: {tmp_path}/corpus/a.tar.gz: expected a whole")
