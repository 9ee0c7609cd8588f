"""The table of a corpus."""

import pytest

from pruneasr.data.manifest import ManifestRow, read_manifest, write_manifest


def test_rows_survive_a_round_trip(tmp_path):
    rows = [
        ManifestRow("audio/a.flac", "1.000", "ann", 'IT\'S "YES"', "", "train"),
        ManifestRow("audio/b.flac", "0.700", "bob", "", '{"k": 1}', "test"),
    ]
    write_manifest(tmp_path, rows)
    assert read_manifest(tmp_path) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "found an empty file"),
        ("path\ttext\n", r"found \('path', 'text'\)"),
        ("path\tduration\tspeaker\ttext\tlabel\tsplit\n", "found the header only"),
        ("path\tduration\tspeaker\ttext\tlabel\tsplit\na\tb\n", ":2: expected 6"),
    ],
)
def test_other_tables_are_refused(tmp_path, content, message):
    (tmp_path / "manifest.tsv").write_text(content)
    with pytest.raises(ValueError, match=message):
        read_manifest(tmp_path)


def test_no_table(tmp_path):
    with pytest.raises(ValueError, match=r"manifest.tsv, found no file"):
        read_manifest(tmp_path)
