"""Kaldi data directories: order, contents, refusals."""

import pytest

from pruneasr.data.datadir import (
    Utterance,
    combine_without_text,
    read_data_dir,
    read_table,
    write_data_dir,
    write_table,
)


def test_tables_are_sorted_as_the_c_locale_sorts(tmp_path):
    path = tmp_path / "table"
    write_table(path, {"b": "2", "a_1": "x", "a-1": "y", "B": "two words", "a": ""})
    assert path.read_text() == "B two words\na\na-1 y\na_1 x\nb 2\n"
    assert read_table(path) == {
        "B": "two words",
        "a": "",
        "a-1": "y",
        "a_1": "x",
        "b": "2",
    }
    assert [file.name for file in tmp_path.iterdir()] == ["table"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a 1\n\nb 2\n", "table:2: expected `id value`, found ''"),
        (b" a 1\n", "table:1: expected `id value`, found ' a 1'"),
        (b"a 1\na 2\n", "table:2: expected an id once, found a again"),
        (b"a \xff\n", "expected UTF-8 text"),
    ],
)
def test_broken_tables_are_refused(tmp_path, content, message):
    path = tmp_path / "table"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_table(path)


def test_directory_holds_what_was_written(tmp_path):
    utterances = [
        Utterance("bob-2", "bob", "x/2.flac", "HELLO YOU"),
        Utterance("ann-1", "ann", "x/1.flac", "YES"),
        Utterance("bob-1", "bob", "x/3.flac", "NO"),
    ]
    write_data_dir(tmp_path / "data", utterances)
    files = {path.name: path.read_text() for path in (tmp_path / "data").iterdir()}
    assert files == {
        "wav.scp": "ann-1 x/1.flac\nbob-1 x/3.flac\nbob-2 x/2.flac\n",
        "text": "ann-1 YES\nbob-1 NO\nbob-2 HELLO YOU\n",
        "utt2spk": "ann-1 ann\nbob-1 bob\nbob-2 bob\n",
        "spk2utt": "ann ann-1\nbob bob-1 bob-2\n",
    }
    assert read_data_dir(tmp_path / "data") == [utterances[i] for i in (1, 2, 0)]


def test_combined_corpora_have_no_text(tmp_path):
    first = [Utterance("a-1", "a", "1.flac", "YES")]
    second = [Utterance("b-1", "b", "2.flac")]
    write_data_dir(tmp_path, combine_without_text([first, second]))
    assert not (tmp_path / "text").exists()
    assert len(read_data_dir(tmp_path)) == 2


@pytest.mark.parametrize(
    ("utterances", "message"),
    [
        ([], "expected utterances, found none"),
        ([Utterance("a", "a", "1"), Utterance("a", "a", "2")], r"found twice: \['a'\]"),
        ([Utterance("a b", "a", "1")], "ids without white space"),
        # "a-b-1" sorts before "a-c", but speaker "a" before speaker "a-b".
        ([Utterance("a-c", "a", "1"), Utterance("a-b-1", "a-b", "2")], "sort like"),
        (
            [Utterance("a", "a", "1", "YES"), Utterance("b", "b", "2")],
            "1 lack one, b among them",
        ),
    ],
)
def test_utterances_that_make_no_directory_are_refused(tmp_path, utterances, message):
    with pytest.raises(ValueError, match=message):
        write_data_dir(tmp_path / "data", utterances)
    assert not (tmp_path / "data").exists()


def test_tables_of_other_utterances_are_refused(tmp_path):
    write_data_dir(tmp_path, [Utterance("a-1", "a", "1.flac", "YES")])
    write_table(tmp_path / "text", {"a-1": "YES", "a-2": "NO"})
    with pytest.raises(
        ValueError, match=r"wav.scp and text, found 1 .* a-2 among them"
    ):
        read_data_dir(tmp_path)


@pytest.mark.timeout(2)  # a second look at all ids for each id would take a minute
def test_an_id_twice_is_found_in_a_corpus_of_full_size(tmp_path):
    utterances = [Utterance(f"{i:06}", f"{i:06}", "x") for i in range(70_000)]
    with pytest.raises(ValueError, match=r"found twice: \['000007'\]"):
        write_data_dir(tmp_path, [*utterances, utterances[7]])
