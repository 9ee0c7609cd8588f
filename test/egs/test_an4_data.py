"""AN4's local/data.sh on a tiny archive: download, convert, split, extra audio."""

import io

import numpy as np
import pytest
import soundfile
from archives import make_tar

from pruneasr.data.datadir import read_data_dir

SPEAKERS = {"fash": "an4_clstk", "fbbh": "an4_clstk", "mxyz2": "an4_clstk"} | {
    "fcaw": "an4test_clstk"
}
NUM_PER_SPEAKER = 2


def samples_of(name):
    seed = sum(name.encode())
    return np.random.default_rng(seed).integers(-99, 99, 4000 + seed, np.int16)


def make_archive(path, *, texts_of=tuple(SPEAKERS)):
    """Write an archive like CMU's: SPHERE files and two lists of transcripts."""
    lists = {"an4_clstk": "", "an4test_clstk": "\n"}
    files = {}
    for speaker, folder in SPEAKERS.items():
        for index in range(NUM_PER_SPEAKER):
            name = f"an{index}-{speaker}-b"
            content = io.BytesIO()
            soundfile.write(content, samples_of(name), 16000, "PCM_16", "BIG", "NIST")
            files[f"an4/wav/{folder}/{speaker}/{name}.sph"] = content.getvalue()
            if speaker in texts_of:
                text = f"TEXT {speaker.upper()} A"
                marked = f"<s> {text} </s>" if folder == "an4_clstk" else text
                lists[folder] += f"{marked} ({name})\n"
    files["an4/etc/an4_train.transcription"] = lists["an4_clstk"].encode()
    files["an4/etc/an4_test.transcription"] = lists["an4test_clstk"].encode()
    make_tar(path, files | {"an4/etc/an4.dic": b"A AH\n"})


@pytest.mark.integration
def test_download_to_data_directories(recipe, run_data, tmp_path):
    folder = recipe("an4/asr1")
    archive = tmp_path / "archive.tar.gz"
    make_archive(archive)
    (tmp_path / "more").mkdir()
    soundfile.write(tmp_path / "more" / "long.wav", np.ones(20000) / 9, 16000)
    options = ["--url", archive.as_uri(), "--expected-train", 6, "--expected-test", 2]
    options += ["--num-dev-speakers", 1, "--max-seconds", 1]
    result = run_data(
        folder, *options, "--extra-audio", tmp_path / "more", AN4="corpus"
    )
    assert result.returncode == 0, result.stderr
    (lexicon,) = folder.glob("**/etc/an4.dic")  # for egs/superb
    assert lexicon.read_text() == "A AH\n"
    assert "data/pretrain: 6 utterances, 0.00 h, 3 speakers" in result.stdout

    sets = {
        name: [
            (item.utterance, item.text)
            for item in read_data_dir(folder / "data" / name)
        ]
        for name in ("train", "dev", "test", "pretrain")
    }
    assert sets["train"] == [
        ("fash-an0-fash-b", "TEXT FASH A"),
        ("fash-an1-fash-b", "TEXT FASH A"),
        ("mxyz2-an0-mxyz2-b", "TEXT MXYZ2 A"),
        ("mxyz2-an1-mxyz2-b", "TEXT MXYZ2 A"),
    ]
    assert [name for name, _ in sets["dev"]] == ["fbbh-an0-fbbh-b", "fbbh-an1-fbbh-b"]
    assert [name for name, _ in sets["test"]] == ["fcaw-an0-fcaw-b", "fcaw-an1-fcaw-b"]
    *extra, first, _, _, _ = (name for name, _ in sets["pretrain"])
    digest = extra[0].removeprefix("extra_long_").removesuffix("-000")
    assert extra == [f"extra_long_{digest}-000", f"extra_long_{digest}-001"]
    assert first == sets["train"][0][0]
    lengths = (folder / "data" / "test" / "utt2num_samples").read_text().split()
    assert lengths[1] == str(len(samples_of("an0-fcaw-b")))
    path = folder / read_data_dir(folder / "data" / "train")[0].audio
    np.testing.assert_array_equal(
        soundfile.read(path, dtype="int16")[0], samples_of("an0-fash-b")
    )

    # Again: neither the archive nor its home is needed, and nothing changes.
    archive.unlink()
    before = (folder / "data" / "pretrain" / "wav.scp").read_text()
    again = run_data(folder, *options, AN4="corpus", LIBRISPEECH=str(tmp_path / "more"))
    assert again.returncode == 0, again.stderr
    assert "downloading" not in again.stdout
    assert (folder / "data" / "pretrain" / "wav.scp").read_text() == before


@pytest.mark.integration
def test_an_incomplete_copy_is_refused(recipe, run_data, tmp_path):
    folder = recipe("an4/asr1")
    make_archive(tmp_path / "archive.tar.gz")
    url = (tmp_path / "archive.tar.gz").as_uri()
    result = run_data(folder, "--url", url, AN4="corpus")
    assert result.returncode == 1
    assert (
        "expected 948 training and 130 test utterances, found 6 and 2" in result.stderr
    )


def test_transcripts_and_audio_must_match(local_module, tmp_path):
    module = local_module("an4/asr1", "download_an4")
    make_archive(tmp_path / "archive.tar.gz", texts_of=("fash", "fbbh", "fcaw"))
    with pytest.raises(
        ValueError, match="found 2 names without the other, an0-mxyz2-b"
    ):
        module.convert(tmp_path / "archive.tar.gz", tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "manifest.tsv").exists()


def test_transcription_lines(local_module):
    module = local_module("an4/asr1", "download_an4")
    lines = "<s> RUBOUT G M </s> (an1-fash-b)\n\nYES (cen2-fcaw-b)\n"
    assert module.read_transcription(lines, "train") == {
        "an1-fash-b": ("RUBOUT G M", "train"),
        "cen2-fcaw-b": ("YES", "train"),
    }
    with pytest.raises(ValueError, match="found 'no name'"):
        module.read_transcription("no name", "train")


def test_held_out_speakers_are_spread_evenly(local_module):
    module = local_module("an4/asr1", "prepare_an4")
    speakers = list("abcdefghij")
    assert module.held_out_speakers(speakers, 2) == {"c", "h"}
    for count in (0, 10):
        with pytest.raises(ValueError, match="expected 1 to 9"):
            module.held_out_speakers(speakers, count)
