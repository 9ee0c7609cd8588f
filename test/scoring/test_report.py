"""What scoring writes and prints."""

import json
import subprocess
import sys

import pytest

from pruneasr.data.datadir import write_table
from pruneasr.data.text import make_splitter
from pruneasr.data.tokens import make_token_list
from pruneasr.scoring.errors import score
from pruneasr.scoring.report import (
    format_result,
    results_header,
    results_row,
    score_files,
)


@pytest.fixture
def texts(tmp_path):
    write_table(tmp_path / "ref", {"u-1": "ONE TWO THREE", "u-2": "GO"})
    write_table(tmp_path / "hyp", {"u-1": "ONE TO THREE", "u-2": "GO"})
    return tmp_path / "ref", tmp_path / "hyp"


def test_row_has_one_decimal_and_the_columns_of_the_header():
    columns = {"Snt": 130, "Wrd": 773, "Corr": 96.248, "Sub": 0.129, "Del": 3.622}
    columns |= {"Ins": 0.05, "Err": 3.85, "S.Err": 22.308}
    row = results_row("decode/test", columns)
    assert row == "|decode/test|130|773|96.2|0.1|3.6|0.1|3.9|22.3|\n"
    assert results_header(columns).split("\n")[0] == f"|dataset|{'|'.join(columns)}|"


def test_alignment_is_readable():
    result = score(
        {"u-1": "A LONG WORD SAID", "u-2": "B"},
        {"u-1": "A WORD SAID HERE", "u-2": "B"},
        make_splitter("word"),
    )
    text = format_result("test", result)
    assert "| Sum/Avg | 2 5 | 80.0 0.0 20.0 20.0 40.0 50.0 |" in text
    assert text.endswith(
        "id: u-1 (S 0, D 1, I 1)\n"
        "REF: A LONG WORD SAID ***\n"
        "HYP: A ***  WORD SAID HERE\n"
        "       D              I\n"
        "\n"
    )
    assert "u-2" not in text


def test_files_of_all_rates(texts, tmp_path):
    make_token_list(texts[0], tmp_path, token_type="bpe", nbpe=13)
    results = score_files(
        *texts, tmp_path / "out", dataset="test", bpe_model=tmp_path / "bpe.model"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("score_cer", "score_cer.json", "score_ter", "score_ter.json"),
        *("score_wer", "score_wer.json"),
    ]
    assert results["wer"]["Err"] == 25.0
    assert results["cer"]["Err"] == 100 / 15  # one of 13 + 2 characters
    written = json.loads((tmp_path / "out" / "score_wer.json").read_text())
    assert written == results["wer"]
    assert list(written) == ["Snt", "Wrd", "Corr", "Sub", "Del", "Ins", "Err", "S.Err"]


def test_a_file_that_is_no_model_is_refused(texts, tmp_path):
    with pytest.raises(ValueError, match=r"expected a SentencePiece model at .*/ref"):
        score_files(*texts, tmp_path / "out", dataset="test", bpe_model=texts[0])


def test_command_line(texts, tmp_path):
    command = [sys.executable, "-m", "pruneasr.bin.score", "--ref", str(texts[0])]
    command += ["--output", str(tmp_path / "test")]
    done = subprocess.run(
        [*command, "--hyp", str(texts[1])], capture_output=True, text=True, check=True
    )
    header = "|dataset|Snt|Wrd|Corr|Sub|Del|Ins|Err|S.Err|\n|" + "---|" * 9
    row = "|test|2|4|75.0|25.0|0.0|0.0|25.0|50.0|"
    assert f"### WER\n{header}\n{row}" in done.stdout
    write_table(texts[1], {"u-1": "ONE"})
    failed = subprocess.run(
        [*command, "--hyp", str(texts[1])], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert "1 missing ['u-2']" in failed.stderr
    assert "Traceback" not in failed.stderr
