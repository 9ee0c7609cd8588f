"""What a source is, and what happens to files that are none."""

import shutil
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from reference_models import huggingface_module
from tiny import random_encoder

from pruneasr.encoder import save_encoder
from pruneasr.encoder.interop import import_encoder


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_pruneasr_directory_keeps_its_provenance(tmp_path):
    encoder = random_encoder()
    save_encoder(encoder, tmp_path, {"teacher": "x"})
    imported = import_encoder(str(tmp_path))
    assert imported.provenance["provenance"] == {"teacher": "x"}
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(imported.encoder.state_dict()[name], tensor)


def test_hub_id_prefers_safetensors_and_takes_bin(tmp_path, monkeypatch):
    stored, cache = tmp_path / "stored", tmp_path / "cache"
    cache.mkdir()
    model = huggingface_module("wavlm", "base")
    model.save_pretrained(stored)
    (stored / "model.safetensors").unlink()
    torch.save(model.state_dict(), stored / "pytorch_model.bin")
    asked = []

    def snapshot_download(name, *, allow_patterns):
        asked.append(name)
        for pattern in allow_patterns:
            for path in stored.glob(pattern):
                shutil.copy(path, cache)
        return str(cache)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    imported = import_encoder("somebody/wavlm")
    assert asked == ["somebody/wavlm"] * 2
    assert imported.provenance["source"] == "somebody/wavlm"
    assert set(imported.provenance["sha256"]) == {"pytorch_model.bin"}


def test_hub_id_of_an_encoder_of_ours(tmp_path, monkeypatch):
    encoder = random_encoder()
    save_encoder(encoder, tmp_path, {"teacher": "x"})
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: tmp_path)
    imported = import_encoder("somebody/pruned")
    assert imported.provenance["provenance"] == {"teacher": "x"}
    assert imported.encoder.config == encoder.config


def test_a_directory_of_ours_without_weights(tmp_path):
    save_encoder(random_encoder(), tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model\.safetensors does not exist"):
        import_encoder(str(tmp_path))


def test_hub_out_of_reach(monkeypatch):
    def snapshot_download(name, **_):
        raise LocalEntryNotFoundError(f"no {name}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(ValueError, match="not on disk"):
        import_encoder("somebody/wavlm")


def test_pickles_run_nothing(tmp_path):
    torch.save({"cfg": {}, "model": Trap(tmp_path / "ran")}, tmp_path / "trap.pt")
    with pytest.raises(ValueError, match="not admitted") as refused:
        import_encoder(str(tmp_path / "trap.pt"))
    assert "weights_only" not in str(refused.value)  # torch advises to set it to False
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("keep", [0, 3, 300, -50])
def test_truncated_pickle(keep, tmp_path):
    path = tmp_path / "cut.pt"
    torch.save({"cfg": {"a": 1}, "model": {"x": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="damaged"):
        import_encoder(str(path))


@pytest.mark.parametrize(
    "content",
    [
        {"weights": 1},
        {"weights": 1, 2: 3},
        [1, 2],
        {"cfg": 3, "model": {}},
        {"cfg": {"_name": "hubert"}, "model": [1]},
        {"state_dict": {}, "config": None},
        {"state_dict": {}, "config": {"encoder_embed_dim": 8, "encoder_num_heads": 3}},
    ],
)
def test_foreign_pickle(content, tmp_path):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"expected|config of a DPHuBERT checkpoint"):
        import_encoder(str(tmp_path / "other.pt"))


def test_nothing_there(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        import_encoder(str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match=r"without config\.json"):
        import_encoder(str(tmp_path))


def test_directories_need_no_other_library(tmp_path):
    """Only what would download or run a library's own model needs that library."""
    huggingface_module("wavlm", "base").save_pretrained(tmp_path)
    script = (
        "import sys\n"
        "for name in ('transformers', 'torchaudio', 'huggingface_hub', 'espnet2'):\n"
        "    sys.modules[name] = None\n"
        "from pruneasr.encoder.interop import import_encoder\n"
        f"import_encoder({str(tmp_path)!r})\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
