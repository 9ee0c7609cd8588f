"""Files are whole or absent."""

import pytest

from pruneasr.files import remove_partial, whole, write_atomic


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    write_atomic(path, "before")

    def fail():
        with whole(path) as partial:
            partial.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    for name in (".checkpoint.prev.pth.4711", ".done", ".dist_init_0", "1epoch.pth"):
        (tmp_path / name).touch()
    remove_partial(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".done", ".dist_init_0", "1epoch.pth"}
