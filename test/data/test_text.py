"""Token lists and the transcripts that are checked against them."""

import pytest

from pruneasr.data.text import check_text, make_splitter, read_token_folder
from pruneasr.data.tokens import make_token_list

TEXTS = {"a-1": "BE A BEE", "a-2": "A SEA", "a-3": "BE A BEE AS A SEA"}


@pytest.fixture
def corpus(write_tables):
    return write_tables(text=TEXTS, wav_scp=dict.fromkeys(TEXTS, "x.flac"))


def test_character_list_begins_with_the_most_frequent(corpus, tmp_path):
    tokens = make_token_list(
        corpus / "text", tmp_path / "tokens", token_type="char", nbpe=1
    )
    # E 3+1+4, space 2+1+5, A 1+2+4, B 2+2, S 1+2; ties in the order of the characters
    expected = ["<blank>", "<unk>", "<space>", "E", "A", "B", "S", "<sos/eos>"]
    assert tokens == expected
    assert (tmp_path / "tokens" / "tokens.txt").read_text().split() == expected


def test_word_list(corpus, tmp_path):
    tokens = make_token_list(corpus / "text", tmp_path, token_type="word", nbpe=1)
    assert tokens == ["<blank>", "<unk>", "A", "BE", "BEE", "SEA", "AS", "<sos/eos>"]


def test_bpe_list_is_the_models_and_the_same_every_time(corpus, tmp_path):
    first = make_token_list(corpus / "text", tmp_path / "1", token_type="bpe", nbpe=11)
    second = make_token_list(corpus / "text", tmp_path / "2", token_type="bpe", nbpe=11)
    assert first == second
    models = [(tmp_path / name / "bpe.model").read_bytes() for name in "12"]
    assert models[0] == models[1]
    assert len(first) == 11
    assert [first[0], first[1], first[-1]] == ["<blank>", "<unk>", "<sos/eos>"]
    tokens, splitter = read_token_folder(tmp_path / "1")
    assert tokens == first
    assert "".join(splitter("A SEA")) == "\u2581A\u2581SEA"
    total, unknown = check_text(corpus, tokens, splitter)
    assert total > 0
    assert not unknown


def test_a_bpe_list_out_of_reach_names_what_was_asked(corpus, tmp_path):
    with pytest.raises(ValueError, match=r"found 5000: .*too high"):
        make_token_list(corpus / "text", tmp_path, token_type="bpe", nbpe=5000)


def test_unknown_characters_are_named_with_their_utterances(write_tables, tmp_path):
    directory = write_tables(
        text={"a-1": "BE", "a-2": "B\u00c9, BE", "a-3": "", "a-4": "B"},
        wav_scp={"a-1": "x", "a-2": "x", "a-3": "x", "a-5": "x"},
    )
    (tmp_path / "tokens.txt").write_text("<blank>\n<unk>\nB\nE\n<space>\n<sos/eos>\n")
    (tmp_path / "token_type").write_text("char\n")
    with pytest.raises(ValueError, match="transcripts of 4 of 4") as caught:
        check_text(directory, *read_token_folder(tmp_path))
    lines = str(caught.value).split("\n")[1:]
    assert (
        "a-2 ('B\u00c9, BE'): expected tokens of the list, found [',', '\u00c9']"
        in (lines[0])
    )
    assert "a-3: expected a transcript, found none" in lines[1]
    assert "a-5: expected a line in wav.scp and in text, found none in text" in lines[2]
    assert (
        "a-4: expected a line in wav.scp and in text, found none in wav.scp"
        in (lines[3])
    )


def test_unknown_pieces_are_counted_where_they_are_allowed(write_tables, tmp_path):
    trained = write_tables(text=TEXTS, wav_scp=dict.fromkeys(TEXTS, "x.flac"))
    make_token_list(trained / "text", tmp_path / "bpe", token_type="bpe", nbpe=11)
    lists = read_token_folder(tmp_path / "bpe")
    heard = {"b-1": "BE & SEE", "b-2": "A & B & C"}
    (trained / "text").write_text("".join(f"{k} {v}\n" for k, v in heard.items()))
    (trained / "wav.scp").write_text("b-1 x\nb-2 x\n")
    with pytest.raises(
        ValueError, match=r"transcripts of 2 of 2[\s\S]*found \['&', 'C'\]"
    ):
        check_text(trained, *lists)
    total, unknown = check_text(trained, *lists, allow_unknown=True)
    assert unknown == {"&": 3, "C": 1}
    assert total == sum(len(lists[1](text)) for text in heard.values())
    (trained / "text").write_text("b-1 BE & SEE\nb-2\n")
    with pytest.raises(ValueError, match="b-2: expected a transcript, found none"):
        check_text(trained, *lists, allow_unknown=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "found"), ("A\nB\n", "found .'A', 'B'. to 'B'"), ("<blank>\nA\n", "to 'A'")],
)
def test_other_files_are_no_token_lists(tmp_path, content, message):
    (tmp_path / "tokens.txt").write_text(content)
    (tmp_path / "token_type").write_text("char\n")
    with pytest.raises(ValueError, match=message):
        read_token_folder(tmp_path)


def test_no_token_list(tmp_path):
    with pytest.raises(ValueError, match=r"found none; make it with .*bin\.tokens"):
        read_token_folder(tmp_path)


def test_token_types(tmp_path):
    assert make_splitter("char")("A B") == ["A", "<space>", "B"]
    assert make_splitter("word")("A BE") == ["A", "BE"]
    with pytest.raises(ValueError, match="found 'phone'"):
        make_splitter("phone")
    with pytest.raises(ValueError, match="found None with bpe"):
        make_splitter("bpe")
    with pytest.raises(ValueError, match="expected a SentencePiece model at"):
        make_splitter("bpe", tmp_path / "gone.model")
