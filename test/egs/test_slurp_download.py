"""SLURP's download: what is kept, what is refused, and where it goes on."""

from pathlib import Path

import pytest
from archives import make_tar

from pruneasr.data.download import download

LOCAL = Path(__file__).parents[2] / "egs/slurp/slu1/local"
AUDIO = {f"slurp_real/{name}.flac": name.encode() for name in ("a", "b")}
WRONG = f"md5:{'0' * 32}"


@pytest.fixture
def module(local_module, monkeypatch):
    monkeypatch.syspath_prepend(LOCAL)
    return local_module("slurp/slu1", "download_slurp")


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "server.tar.gz"
    make_tar(path, AUDIO)
    return path


def names(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_audio_is_unpacked_once(module, archive, tmp_path):
    folder = tmp_path / "corpus"
    module.provide_audio(folder, archive.as_uri(), None)
    assert names(folder) == set(AUDIO)
    module.provide_audio(folder, "file:///nowhere", WRONG)


@pytest.mark.parametrize("downloaded", [False, True])
def test_what_was_left_half_made_goes_on(module, archive, tmp_path, downloaded):
    folder = tmp_path / "corpus"
    (folder / "slurp_real").mkdir(parents=True)
    (folder / "slurp_real/a.flac").write_bytes(b"a")
    (folder / ".slurp_real.begun").touch()
    with pytest.raises(ValueError, match="nowhere"):
        module.provide_audio(folder, "file:///nowhere", None)
    if downloaded:
        download(archive.as_uri(), folder / "slurp_real.tar.gz")
        archive.unlink()
    module.provide_audio(folder, archive.as_uri(), None)
    assert names(folder) == set(AUDIO)


def test_another_archive_is_refused_and_not_kept(module, archive, tmp_path):
    folder = tmp_path / "corpus"
    with pytest.raises(ValueError, match=f"expected {WRONG}, found md5:"):
        module.provide_audio(folder, archive.as_uri(), WRONG)
    assert names(folder) == {".slurp_real.begun"}
    module.provide_audio(folder, archive.as_uri(), None)
    assert names(folder) == set(AUDIO)


def test_text_is_verified_where_it_is_downloaded(module, tmp_path):
    server, folder = tmp_path / "server", tmp_path / "corpus"
    for path in (server / "train.jsonl", server / "devel.jsonl", folder / "test.jsonl"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("<html>\n")
    with pytest.raises(ValueError, match=r"devel\.jsonl\.part: expected"):
        module.provide_text(folder, server.as_uri(), (None, WRONG, WRONG))
    assert names(folder) == {"train.jsonl", "test.jsonl"}
    # a user's own file is taken as it is
    module.provide_text(folder, server.as_uri(), (WRONG, None, WRONG))
    assert names(folder) == {"train.jsonl", "devel.jsonl", "test.jsonl"}
