"""SLURP's local/data.sh on tiny files: annotations, recordings, synthetic speech."""

import io
import json
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from archives import make_tar

from pruneasr.data.datadir import read_data_dir

ROOT = Path(__file__).parents[2]
SENTENCES = {
    "train": "wake me at [time : eight]",
    "devel": "play [song_name : Yesterday] by [artist_name : the beatles]",
    "test": "stop",
}
SPANS = {"train": {"time": [3]}, "devel": {"song_name": [1], "artist_name": [3, 4]}}


def tokens(words):
    return [{"surface": word, "id": i} for i, word in enumerate(words.split())]


def entry(name, number=1):
    words = re.sub(r"\[\w+ :|\]", "", SENTENCES[name])
    spans = SPANS.get(name, {}).items()
    recordings = [{"file": f"audio-{name}{i}.flac"} for i in range(2)]
    return {
        "slurp_id": number,
        "sentence_annotation": SENTENCES[name],
        "scenario": "scene",
        "action": f"act{name}",
        "tokens": tokens(words),
        "entities": [{"type": type_, "span": span} for type_, span in spans],
        "recordings": recordings,
    }


@pytest.fixture
def corpus(tmp_path):
    """Write text and an archive of audio as they lie on the servers."""
    folder = tmp_path / "server"
    folder.mkdir()
    content = io.BytesIO()
    wave = np.random.default_rng(0).integers(-99, 99, 6000, np.int16)
    soundfile.write(content, wave, 16000, format="FLAC")
    audio = {}
    for name in SENTENCES:
        (folder / f"{name}.jsonl").write_text(json.dumps(entry(name)) + "\n")
        for item in entry(name)["recordings"]:
            audio[f"slurp_real/{item['file']}"] = content.getvalue()
    make_tar(folder / "slurp_real.tar.gz", audio)
    return folder


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_download_to_data_directories(recipe, run_data, corpus):
    folder = recipe("slurp/slu1")
    options = ["--text-url", corpus.as_uri()]
    options += ["--audio-url", (corpus / "slurp_real.tar.gz").as_uri()]
    other = run_data(folder, *options, SLURP="corpus")
    assert other.returncode == 1
    assert "train.jsonl.part: expected git:c7568b5661" in other.stderr
    assert not list((folder / "corpus").glob("*.jsonl*"))
    options += ["--text-checksums", "", "--audio-checksum", ""]
    wrong = run_data(folder, *options, SLURP="corpus")
    assert wrong.returncode == 1
    assert "expected 50628 recordings of train, found 2" in wrong.stderr
    result = run_data(folder, *options, "--check-counts", "false", SLURP="corpus")
    assert result.returncode == 0, result.stderr
    texts = {
        name: {item.text for item in read_data_dir(folder / "data" / name)}
        for name in SENTENCES
    }
    assert texts == {
        "train": {"scene_acttrain time:eight"},
        "devel": {"scene_actdevel song_name:yesterday artist_name:the beatles"},
        "test": {"scene_acttest"},
    }
    (folder / "corpus/slurp_real/audio-test1.flac").unlink()
    gone = run_data(folder, *options, "--check-counts", "false", SLURP="corpus")
    assert gone.returncode == 1
    assert "audio-test1.flac: expected the recording" in gone.stderr


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_a_copy_laid_out_as_slurps_repository_is_found(recipe, run_data, corpus):
    folder = recipe("slurp/slu1")
    copy = folder / "corpus"
    (copy / "dataset/slurp").mkdir(parents=True)
    for path in corpus.glob("*.jsonl"):
        path.rename(copy / "dataset/slurp" / path.name)
    with tarfile.open(corpus / "slurp_real.tar.gz") as archive:
        archive.extractall(copy / "audio", filter="data")
    nowhere = ["--text-url", "file:///nowhere", "--audio-url", "file:///nowhere"]
    result = run_data(folder, *nowhere, "--check-counts", "false", SLURP=str(copy))
    assert result.returncode == 0, result.stderr
    audio = [item.audio for item in read_data_dir(folder / "data" / "devel")]
    assert audio == [f"{copy}/audio/slurp_real/audio-devel{i}.flac" for i in range(2)]
    assert {path.name for path in copy.iterdir()} == {"audio", "dataset"}


def test_where_text_and_audio_lie(local_module, tmp_path):
    layout = local_module("slurp/slu1", "slurp_layout")
    assert layout.text_folder(tmp_path) == layout.audio_folder(tmp_path) == tmp_path
    (tmp_path / "audio").mkdir()
    (tmp_path / "dataset/slurp").mkdir(parents=True)
    assert layout.text_folder(tmp_path) == tmp_path / "dataset/slurp"
    assert layout.audio_folder(tmp_path) == tmp_path / "audio"
    (tmp_path / "slurp_real").mkdir()  # of an earlier download
    assert layout.audio_folder(tmp_path) == tmp_path


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_text_alone_is_spoken(recipe, run_data, corpus):
    folder = recipe("slurp/slu1")
    nlu = {("nlu_id" if k == "slurp_id" else k): v for k, v in entry("train").items()}
    (corpus / "nlu_evaluation_data.jsonl").write_text(json.dumps(nlu))
    (corpus / "train.jsonl").unlink()
    result = run_data(folder, "--synthetic", 1, SLURP=str(corpus))
    assert result.returncode == 0, result.stderr
    (item,) = read_data_dir(folder / "data" / "train")
    assert item.text == "scene_acttrain time:eight"
    few = run_data(folder, "--synthetic", 2, SLURP=str(corpus))
    assert few.returncode == 1
    assert "expected 2 sentences, found 1" in few.stderr


def test_what_the_other_sets_say_is_not_spoken_for_training(
    local_module, corpus, monkeypatch
):
    monkeypatch.syspath_prepend(ROOT / "egs/slurp/slu1/local")
    plan = local_module("slurp/slu1", "speak_slurp").plan
    lines = [json.dumps(entry(name, i)) for i, name in enumerate(SENTENCES)]
    (corpus / "train.jsonl").write_text("\n".join(lines))
    planned = plan(corpus, 1, seed=0)
    said = {name: [s.text for s, _ in items] for name, items in planned.items()}
    assert said["train"] == ["wake me at eight"]
    for name in ("devel", "test"):
        (corpus / f"{name}.jsonl").write_text("\n".join(lines[1:]))
    with pytest.raises(ValueError, match=r"train.*expected 2 sentences, found 1"):
        plan(corpus, 2, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scenario": ""}, "expected a label, found no scenario"),
        ({"action": None}, "expected a label, found no action"),
        ({"sentence_annotation": None}, "found no sentence_annotation"),
        ({"sentence_annotation": "at [time : eight"}, "balanced"),
        ({"sentence_annotation": "at [hour : eight]"}, "unknown slot"),
        ({"entities": [{"type": "hour", "span": [0]}]}, "unknown slot"),
        ({"entities": [{"type": "time", "span": [4]}]}, "found no 4"),
        ({"tokens": tokens("wake me at 7:30")}, "spell it out"),
    ],
)
def test_broken_annotations_are_refused(local_module, tmp_path, change, message):
    module = local_module("slurp/slu1", "slurp_text")
    path = tmp_path / "train.jsonl"
    lines = [entry("train"), entry("train") | change]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(ValueError, match="labels of 1 of 2") as caught:
        module.read_sentences(path)
    assert message in str(caught.value)
    assert "line 2" in str(caught.value)


def read(local_module, folder, *lines):
    path = folder / "x.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return local_module("slurp/slu1", "slurp_text").read_sentences(path)


def test_entities_are_the_tokens_that_slurps_evaluation_joins(local_module, tmp_path):
    gold = {
        "slurp_id": 7,
        "sentence_annotation": "[person : Bob], cancel [date : Today's] lunch",
        "scenario": "calendar",
        "action": "remove",
        "tokens": tokens("Bob , cancel Today 's lunch"),
        "entities": [
            {"type": "person", "span": [0, 1]},
            {"type": "date", "span": [3, 4]},
        ],
    }
    # of nlu_evaluation_data, which has no tokens
    other = {"nlu_id": "8", **gold}
    for name in ("slurp_id", "tokens", "entities"):
        del other[name]
    sentences = read(local_module, tmp_path, json.dumps(gold), json.dumps(other))
    assert [sentence.text for sentence in sentences] == [
        "calendar_remove person:bob , date:today 's",
        "calendar_remove person:bob date:today 's",
    ]
    assert {s.spoken for s in sentences} == {"bob, cancel today's lunch"}


def test_only_the_end_of_a_line_ends_a_sentence(local_module, tmp_path):
    odd = entry("test") | {"sentence_annotation": "stop\u2028now\u0085then"}
    (sentence,) = read(local_module, tmp_path, json.dumps(odd, ensure_ascii=False))
    assert sentence.spoken == "stop now then"


def test_a_page_in_place_of_the_text_is_to_be_removed(local_module, tmp_path):
    with pytest.raises(ValueError, match=r"found '<html>'; .*remove the file"):
        read(local_module, tmp_path, "<html>")


def test_a_missing_key_is_a_missing_label(local_module, tmp_path):
    broken = entry("train")
    del broken["action"]
    with pytest.raises(ValueError, match="expected a label, found no 'action'"):
        read(local_module, tmp_path, json.dumps(broken))
