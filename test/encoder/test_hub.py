"""Save, push and load through huggingface_hub's own mixin, without a network."""

import shutil
from types import SimpleNamespace

import huggingface_hub.hub_mixin
import pytest
import torch
from tiny import random_encoder

from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.encoder.checkpoint import load_metadata
from pruneasr.encoder.hub import PretrainedEncoder


def assert_same(first, second):
    assert first.config == second.config
    for name, tensor in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], tensor)


def test_save_and_load_a_directory(tmp_path):
    encoder = random_encoder()
    PretrainedEncoder.wrap(encoder, {"teacher": "x"}).save_pretrained(tmp_path)
    loaded = PretrainedEncoder.from_pretrained(str(tmp_path))
    assert_same(encoder, loaded)
    assert not loaded.training
    assert loaded.provenance == {"teacher": "x"}
    assert_same(encoder, load_encoder(tmp_path))
    assert "library_name: pruneasr" in (tmp_path / "README.md").read_text()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder that receives what is pushed."""

    class Api:
        def __init__(self, token=None):
            del token

        def create_repo(self, repo_id, **_):
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, *, folder_path, **_):
            shutil.copytree(folder_path, tmp_path / "hub")
            return "done"

    monkeypatch.setattr(huggingface_hub.hub_mixin, "HfApi", Api)
    return tmp_path / "hub"


def test_push(hub):
    encoder = random_encoder()
    assert PretrainedEncoder.wrap(encoder).push_to_hub("somebody/pruned") == "done"
    assert_same(encoder, load_encoder(hub))
    assert load_metadata(hub)["provenance"] == {}


def test_a_model_card_is_pushed_with_its_figures(tmp_path, hub):
    made = tmp_path / "made"
    save_encoder(random_encoder(), made)
    (made / "figures").mkdir()
    card = {"README.md": b"# ours", "card.html": b"<p>", "figures/structure.png": b"1"}
    for name, content in card.items():
        (made / name).write_bytes(content)
    (made / "notes.txt").write_text("not of the card")
    PretrainedEncoder.from_pretrained(str(made)).push_to_hub("somebody/pruned")
    assert {name: (hub / name).read_bytes() for name in card} == card
    assert not (hub / "notes.txt").exists()


def test_unknown_options_are_refused(tmp_path):
    PretrainedEncoder.wrap(random_encoder()).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"unknown options \['layers'\]"):
        PretrainedEncoder.from_pretrained(str(tmp_path), layers=3)


def test_other_directories_are_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "wavlm"}')
    with pytest.raises(ValueError, match="schema_version"):
        PretrainedEncoder.from_pretrained(str(tmp_path))
