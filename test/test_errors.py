"""What a user can mend is a line; what only we can mend keeps its traceback."""

import pytest

from pruneasr.errors import in_a_line


@in_a_line
def program(error):
    raise error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("expected a, found b"), "expected a, found b"),
        (
            FileNotFoundError(2, "No such file or directory", "x"),
            "[Errno 2] No such file or directory: 'x'",
        ),
    ],
)
def test_what_can_be_mended_is_a_line(error, line, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/somewhere/convert.py", "--option"])
    with pytest.raises(SystemExit, match="1"):
        program(error)
    assert capsys.readouterr().err == f"convert: {line}\n"


def test_mistakes_of_ours_keep_their_traceback():
    with pytest.raises(KeyError):
        program(KeyError("x"))
