"""The program check_budgets: what cannot be reached is named with its floor."""

import io
import json
from pathlib import Path

import pytest

from pruneasr.bin.check_budgets import main
from pruneasr.encoder import dense_config

CONF = Path(__file__).parents[2] / "egs" / "librispeech" / "asr1" / "conf"
TRANSFORMER = "--units head ffn --constraint_conf kind=mac --constraint_conf target="


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Return a function that checks lines on WavLM Base, without weights."""
    content = {"schema_version": 1, "encoder": dense_config().to_dict()}
    (tmp_path / "config.json").write_text(json.dumps(content))

    def run(*lines):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{x}\n" for x in lines)))
        config = f"--config={CONF / 'prune_asr.yaml'}"
        main(["--task=asr", config, f"--encoder={tmp_path}"])

    return run


def test_every_budget_out_of_reach_is_named_with_its_floor(check, capsys):
    whole = TRANSFORMER.replace("--units", "--units conv")
    with pytest.raises(SystemExit, match="1"):
        check(
            f"transformer_70 {TRANSFORMER}0.70",
            f"mac_70 {whole}0.70",
            f"transformer_50 {TRANSFORMER}0.50",
            f"transformer_64 {TRANSFORMER}0.64 --constraint_conf reference_sec=1",
        )
    said = capsys.readouterr().err
    assert "transformer_70: target sparsity 0.7 of mac cannot be reached" in said
    assert "must be from 0 to 0.6342" in said
    assert "transformer_64: " in said
    assert "mac_70" not in said
    assert "transformer_50" not in said


def test_budgets_within_reach_pass_silently(check, capsys):
    check(f"transformer_50 {TRANSFORMER}0.50")
    assert capsys.readouterr().err == ""
