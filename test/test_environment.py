"""How results came about."""

from importlib.metadata import PackageNotFoundError

import pytest

from pruneasr import environment


def test_calls_are_told_once_in_their_order(tmp_path):
    (tmp_path / "commands").write_text("b\na\nb\n")
    assert environment.read_calls(tmp_path / "commands") == ["b", "a"]
    with pytest.raises(ValueError, match="where the recipe notes its calls"):
        environment.read_calls(tmp_path / "none")


def test_who_measures_encoders_needs_no_espnet(monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(environment, "version", version)
    text = environment.environment_section(["bench --report x"])
    assert "\n```\nbench --report x\n```\n" in text
    assert "\n- espnet: none\n" in text
    assert "\n- date: " in text
    assert "\n- commit of this report: " in text
