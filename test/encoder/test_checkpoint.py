"""Encoder directories: exact, self-describing, strict."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import random_config, random_encoder, waveforms

from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.encoder.checkpoint import load_config, load_metadata
from pruneasr.pruning.units import attach_gates


@pytest.fixture
def saved(tmp_path):
    """A directory with an encoder, and a function that changes its tensors."""
    save_encoder(random_encoder(), tmp_path, {"teacher": "somebody"})

    def change(function):
        tensors = load_file(tmp_path / "model.safetensors")
        function(tensors)
        save_file(tensors, tmp_path / "model.safetensors")

    return tmp_path, change


@pytest.mark.parametrize("seed", range(6))
def test_round_trip_is_bit_exact(seed, tmp_path):
    encoder = random_encoder(random_config(torch.Generator().manual_seed(seed)))
    save_encoder(encoder, tmp_path)
    loaded = load_encoder(tmp_path).eval()
    assert loaded.config == encoder.config == load_config(tmp_path)
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    with torch.no_grad():
        first, second = encoder(*waveforms())[0], loaded(*waveforms())[0]
    assert torch.equal(first[-1][0], second[-1][0])


def test_provenance(saved):
    directory, _ = saved
    content = load_metadata(directory)
    assert content["provenance"] == {"teacher": "somebody"}
    assert content["schema_version"] == 1


def test_saving_again_replaces(saved):
    directory, _ = saved
    other = random_encoder(seed=1)
    save_encoder(other, directory)
    assert load_metadata(directory)["provenance"] == {}
    name = "norm.weight"
    assert torch.equal(load_encoder(directory).state_dict()[name], other.norm.weight)
    assert sorted(path.name for path in directory.iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_missing_tensor(saved):
    directory, change = saved
    change(lambda tensors: tensors.pop("norm.weight"))
    with pytest.raises(ValueError, match=r"Missing: \['norm.weight'\]"):
        load_encoder(directory)


def test_extra_tensor(saved):
    directory, change = saved
    change(lambda tensors: tensors.update(extra=torch.zeros(1)))
    with pytest.raises(ValueError, match=r"Extra: \['extra'\]"):
        load_encoder(directory)


def test_misshapen_tensor(saved):
    directory, change = saved
    change(lambda tensors: tensors.update({"norm.weight": torch.zeros(31)}))
    with pytest.raises(ValueError, match=r"expected \(32,\), found \(31,\)"):
        load_encoder(directory)


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_unknown_version(saved, version):
    directory, _ = saved
    path = directory / "config.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "schema_version": version}))
    with pytest.raises(ValueError, match="schema_version 1"):
        load_encoder(directory)


def test_unknown_key_in_the_architecture(saved):
    directory, _ = saved
    path = directory / "config.json"
    content = json.loads(path.read_text())
    content["encoder"]["depth"] = 3
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"unknown: \['depth'\]"):
        load_encoder(directory)


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1]", "expected an object"), ('{"schema_version": 1}', "in `encoder`, found")],
)
def test_other_json(saved, content, message):
    directory, _ = saved
    (directory / "config.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_encoder(directory)


def test_a_file_is_no_encoder_directory(saved):
    with pytest.raises(ValueError, match="expected an encoder directory with"):
        load_encoder(saved[0] / "model.safetensors")


def test_a_gated_encoder_is_not_saved_and_nothing_is_lost(saved):
    gated = load_encoder(saved[0])
    attach_gates(gated, ["ffn"])
    with pytest.raises(ValueError, match="an encoder without gates"):
        save_encoder(gated, saved[0])
    assert load_encoder(saved[0]).slots_are_empty()


def test_what_could_not_be_loaded_again_is_not_saved(saved):
    directory, _ = saved
    encoder = random_encoder()
    encoder.norm = torch.nn.Identity()
    with pytest.raises(ValueError, match=r"to save .* Missing: \['norm\.bias'"):
        save_encoder(encoder, directory)
    assert load_metadata(directory)["provenance"] == {"teacher": "somebody"}


def test_dropout_can_be_another_one(saved):
    assert load_encoder(saved[0], dropout=0.3).config.dropout == 0.3


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_truncated_and_missing_files(saved, name):
    directory, _ = saved
    path = directory / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=name):
        load_encoder(directory)
    path.unlink()
    with pytest.raises(ValueError, match=f"{name}.* does not exist"):
        load_encoder(directory)
