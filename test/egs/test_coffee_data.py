"""The coffee orders' local/data.sh on a tiny archive: download, labels, split."""

import io
import json

import numpy as np
import pytest
import soundfile
from archives import make_tar

from pruneasr.data.datadir import Utterance, read_data_dir
from pruneasr.data.manifest import read_manifest

LABELS = {
    f"0000000{i}-ab-cd": {"coffeeDrink": "mocha", "size": " large"} for i in range(8)
}


def make_archive(path, labels=None):
    """Write an archive like GitHub's."""
    written = {
        f"{name}.wav": {"intent": "orderDrink", "slots": slots}
        for name, slots in (LABELS if labels is None else labels).items()
    }
    files = {"data/label/label.json": json.dumps(written).encode()}
    for i, name in enumerate(LABELS):
        content = io.BytesIO()
        wave = np.random.default_rng(i).integers(-99, 99, 8000 + i, np.int16)
        soundfile.write(content, wave, 16000, format="WAV")
        files[f"data/speech/clean/{name}.wav"] = content.getvalue()
        files[f"data/speech/noisy/{name}.wav"] = b"not audio"
    top = "speech-to-intent-benchmark-0a1b"
    make_tar(path, {f"{top}/{name}": content for name, content in files.items()})


@pytest.mark.integration
def test_download_to_data_directories(recipe, run_data, tmp_path):
    folder = recipe("coffee/slu1")
    archive = tmp_path / "archive.tar.gz"
    make_archive(archive)
    options = ["--url", archive.as_uri(), "--num-dev", 2, "--num-test", 3]
    result = run_data(folder, *options, COFFEE="corpus")
    assert result.returncode == 0, result.stderr
    sizes = {"train": 3, "dev": 2, "test": 3, "pretrain": 3}
    sets = {name: read_data_dir(folder / "data" / name) for name in sizes}
    assert {name: len(items) for name, items in sets.items()} == sizes
    members = {name: {item.utterance for item in sets[name]} for name in sizes}
    assert members["pretrain"] == members["train"]
    assert not members["train"] & (members["dev"] | members["test"])
    assert not members["dev"] & members["test"]
    names = set.union(*members.values())
    assert names == {name.replace("-", "") for name in LABELS}
    assert {item.text for item in sets["test"]} == {
        "orderDrink size:large coffeeDrink:mocha"
    }
    archive.unlink()  # again: neither the archive nor its home is needed
    assert run_data(folder, *options, COFFEE="corpus").returncode == 0


def test_the_archive_is_read_once_and_checked(local_module, tmp_path):
    module = local_module("coffee/slu1", "download_coffee")
    archive = tmp_path / "archive.tar.gz"
    make_archive(archive, dict(list(LABELS.items())[:6]))
    with pytest.raises(ValueError, match=r"found 8 and 6, without .*00000006"):
        module.convert(archive, tmp_path / "corpus")
    make_archive(archive, LABELS | {"only-a-label": {}})
    with pytest.raises(ValueError, match=r"found 8 and 9, without .*only-a-label"):
        module.convert(archive, tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "manifest.tsv").exists()
    # those that the published corpus lacks are known
    make_archive(archive, LABELS | {key: {} for key in module.UNRECORDED})
    module.convert(archive, tmp_path / "corpus")
    assert len(read_manifest(tmp_path / "corpus")) == 8


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "expected a label, found none"),
        ("a large mocha", "expected a JSON object"),
        ('{"coffeeDrink": "mocha"}', "label|intent"),
        ('{"intent": "orderDrink", "cup": "red"}', "unknown slot.*'size'.*'cup'"),
        ('{"intent": "orderDrink", "size": " "}', "value of slot size"),
        ('{"intent": "orderDrink", "size": "la:rge"}', "no ':' .*found 'la:rge'; "),
    ],
)
def test_broken_labels_are_refused(local_module, label, message):
    with pytest.raises(ValueError, match=message):
        local_module("coffee/slu1", "prepare_coffee").text_of(label)


def test_slots_are_in_the_order_of_speech(local_module):
    label = (
        '{"intent": "i", "sugarAmount": "sugar", "coffeeDrink": "latte", "size": "s"}'
    )
    text = local_module("coffee/slu1", "prepare_coffee").text_of(label)
    assert text == "i size:s coffeeDrink:latte sugarAmount:sugar"


def test_the_test_set_depends_on_names_alone(local_module):
    split = local_module("coffee/slu1", "prepare_coffee").split
    names = [f"utt{i:02d}" for i in range(20)]
    utterances = [Utterance(name, name, "x", "t") for name in names]
    parts = split(utterances, 3, 5)
    assert [len(parts[name]) for name in ("train", "dev", "test")] == [12, 3, 5]
    assert sorted(u.utterance for part in parts.values() for u in part) == names
    assert parts["test"] == split(utterances[::-1], 6, 5)["test"]
    assert {u.utterance for u in parts["test"]} != set(names[:5])
    with pytest.raises(ValueError, match="less than 20"):
        split(utterances, 10, 10)
