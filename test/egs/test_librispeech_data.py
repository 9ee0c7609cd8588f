"""LibriSpeech's local/data.sh on tiny archives: download, stop, go on, refuse."""

import io

import numpy as np
import pytest
import soundfile
from archives import make_tar

from pruneasr.data.datadir import read_data_dir, read_table
from pruneasr.data.manifest import ManifestRow, write_manifest

PARTS = (
    *("train-clean-100", "train-clean-360", "train-other-500"),
    *("dev-clean", "dev-other", "test-clean", "test-other"),
)


def make_part(folder, number, name, lacking=()):
    """Write the archive of a part with one chapter of two utterances."""
    speaker = 80 + number
    chapter = f"LibriSpeech/{name}/{speaker}/7"
    files = {"LibriSpeech/LICENSE.TXT": b"CC BY 4.0"}
    texts = ""
    for i in range(2):
        utterance = f"{speaker}-7-000{i}"
        content = io.BytesIO()
        wave = np.random.default_rng(i).integers(-99, 99, 6000 + i, np.int16)
        soundfile.write(content, wave, 16000, format="FLAC")
        files[f"{chapter}/{utterance}.flac"] = content.getvalue()
        if utterance not in lacking:
            texts += f"{utterance} TEXT {number} {i}\n"
    files[f"{chapter}/{speaker}-7.trans.txt"] = texts.encode()
    make_tar(folder / f"{name}.tar.gz", files)


@pytest.fixture
def archives(tmp_path):
    """Write the archives of all parts and return options that name them."""
    folder = tmp_path / "archives"
    folder.mkdir()
    for number, name in enumerate(PARTS):
        make_part(folder, number, name)
    options = ["--check-sums", "false", "--check-counts", "false"]
    return folder, ["--url", folder.as_uri(), *options]


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_download_goes_on_and_makes_the_sets(recipe, run_data, archives):
    folder = recipe("librispeech/asr1")
    source, options = archives
    last = source / "test-other.tar.gz"
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    broken = run_data(folder, *options, LIBRISPEECH="corpus")
    assert broken.returncode == 1
    assert "expected a whole archive" in broken.stderr
    assert not (folder / "data").exists()

    last.write_bytes(whole)
    (folder / "corpus" / last.name).unlink()
    result = run_data(folder, *options, LIBRISPEECH="corpus")
    assert result.returncode == 0, result.stderr
    assert "corpus/dev-clean: is there" in result.stdout
    assert "corpus/test-other: downloaded" in result.stdout
    sizes = {"train_100": 2, "train_960": 6, "dev": 4, "test_clean": 2, "test_other": 2}
    sets = {name: read_data_dir(folder / "data" / name) for name in sizes}
    assert {name: len(items) for name, items in sets.items()} == sizes
    assert {name: {u.speaker for u in items} for name, items in sets.items()} == {
        "train_100": {"80"},
        "train_960": {"80", "81", "82"},
        "dev": {"83", "84"},
        "test_clean": {"85"},
        "test_other": {"86"},
    }
    assert [(u.utterance, u.speaker, u.text) for u in sets["train_100"]] == [
        ("80-7-0000", "80", "TEXT 0 0"),
        ("80-7-0001", "80", "TEXT 0 1"),
    ]
    assert not list((folder / "corpus").glob("*.tar.gz"))

    wrong = run_data(folder, "--url", source.as_uri(), LIBRISPEECH="corpus")
    assert wrong.returncode == 1
    assert "expected 28539 utterances" in wrong.stderr


@pytest.mark.integration
def test_checksums_and_missing_transcripts_are_refused(recipe, run_data, archives):
    folder = recipe("librispeech/asr1")
    source, options = archives
    result = run_data(folder, "--url", source.as_uri(), LIBRISPEECH="corpus")
    assert result.returncode == 1
    assert "expected sha256:" in result.stderr
    make_part(source, 3, "dev-clean", lacking=("83-7-0001",))
    result = run_data(folder, *options, LIBRISPEECH="other")
    assert result.returncode == 1
    assert "1 without the other ['83-7-0001']" in result.stderr


def test_excerpt_gives_every_speaker_to_one_part(tmp_path, local_module):
    corpus = tmp_path / "corpus"
    (corpus / "audio").mkdir(parents=True)
    rows = []
    for i in range(18):
        path = f"audio/{i}.flac"
        soundfile.write(corpus / path, np.full(400, i, np.int16), 16000)
        rows.append(ManifestRow(path, "0.025", f"s{i % 9}", f"TEXT {i}", "", "train"))
    write_manifest(corpus, rows)
    local_module("librispeech/asr1", "excerpt").main([str(corpus), str(tmp_path)])
    found = {
        part: sorted(p.name for p in (tmp_path / part).iterdir()) for part in PARTS
    }
    assert found == {
        "train-clean-100": ["s0", "s4"],
        "train-clean-360": ["s1"],
        "train-other-500": ["s2", "s3"],
        "dev-clean": ["s5"],
        "dev-other": ["s6"],
        "test-clean": ["s7"],
        "test-other": ["s8"],
    }
    chapter = tmp_path / "dev-clean/s5/0"
    texts = read_table(chapter / "s5-0.trans.txt")
    assert texts == {"s5-0-0000": "TEXT 5", "s5-0-0001": "TEXT 14"}
    wave, rate = soundfile.read(chapter / "s5-0-0001.flac", dtype="int16")
    assert (wave.tolist(), rate) == ([14] * 400, 16000)


def test_excerpt_wants_a_speaker_for_every_part(local_module):
    excerpt = local_module("librispeech/asr1", "excerpt")
    with pytest.raises(ValueError, match=r"at least 8 speakers, .* found 7"):
        excerpt.assign(list("abcdefg"))
