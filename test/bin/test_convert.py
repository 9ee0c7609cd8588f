"""The command that converts encoders."""

import hashlib
import logging

import pytest
import torch
from reference_models import huggingface_module
from transformers import AutoModel

from pruneasr.bin.convert import main
from pruneasr.encoder import load_encoder
from pruneasr.encoder.checkpoint import load_metadata


@pytest.fixture
def source(tmp_path):
    huggingface_module("wavlm", "base").save_pretrained(tmp_path / "source")
    return tmp_path / "source"


def test_there_and_back(source, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    main(["--source", str(source), "--output", str(ours)])
    assert "not converted: masked_spec_embed" in caplog.text
    provenance = load_metadata(ours)["provenance"]
    digest = hashlib.sha256((source / "model.safetensors").read_bytes()).hexdigest()
    assert provenance == {
        "source": str(source),
        "format": "huggingface",
        "sha256": {"model.safetensors": digest},
    }

    main(["--source", str(ours), "--output", str(theirs), "--format", "huggingface"])
    x = torch.randn(1, 3000)
    with torch.no_grad():
        states, _ = load_encoder(ours).eval()(x)
        expected = AutoModel.from_pretrained(theirs).eval()(x).last_hidden_state
    torch.testing.assert_close(states[-1], expected, atol=1e-5, rtol=0)


def test_a_bad_source_is_said_in_a_line_and_writes_nothing(tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["--source", "nowhere", "--output", str(tmp_path / "out")])
    (line,) = capsys.readouterr().err.splitlines()
    assert ": expected a directory of Hugging Face" in line
    assert line.endswith("found 'nowhere', which does not exist")
    assert not (tmp_path / "out").exists()
