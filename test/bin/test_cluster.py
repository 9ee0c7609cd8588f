"""The program cluster: what of its options is refused."""

import pytest

from pruneasr.bin.cluster import main


def test_features_are_mfcc_or_a_number(tmp_path, capsys):
    options = ["--train", "a", "--encoder", "b", "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="1"):
        main([*options, "--features", "mfc", "data/train"])
    said = capsys.readouterr().err
    assert "expected --features mfcc or the number of a hidden state; found mfc" in said


def test_directories_of_one_name_are_refused(tmp_path, capsys):
    options = ["--train", "a", "--encoder", "b", "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="1"):
        main([*options, "one/train", "one/dev", "two/train"])
    assert "found train, dev, train" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
