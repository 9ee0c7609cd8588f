"""The program cluster: which labels would overwrite others."""

import pytest

from pruneasr.bin.cluster import main


def test_directories_of_one_name_are_refused(tmp_path, capsys):
    options = ["--train", "a", "--encoder", "b", "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="1"):
        main([*options, "one/train", "one/dev", "two/train"])
    assert "found train, dev, train" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
