"""Frames: written and read again, refused where broken, SLURP's annotations."""

import pytest

from pruneasr.data.semantic_frames import (
    SemanticFrame,
    format_frame,
    parse_annotation,
    parse_frame,
    read_frame,
    read_frames,
)

ORDER = SemanticFrame("order", (("size", "twelve ounce"), ("roast", "light roast")))
TEXT = "order size:twelve ounce roast:light roast"
KNOWN = {"size", "roast"}


def test_a_frame_is_written_and_read():
    assert format_frame(ORDER) == TEXT
    assert parse_frame(TEXT, KNOWN) == ORDER
    assert read_frame(TEXT) == ORDER
    assert parse_frame("stop") == SemanticFrame("stop", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a label, found none"),
        ("size:small", "expected an intent first"),
        ("order small", "in slots, .* found 'small'"),
        ("order size: small", "in slots, .* found 'small'"),
        ("order size:", "value of slot size"),
        ("order size: roast:dark", "value of slot size"),
        ("order cup:small", r"unknown slot: .*'roast', 'size'.*found 'cup'"),
        ("order :small", "unknown slot"),
        ("order size:7:30", "unknown slot: .*found 'size:7'"),
    ],
)
def test_broken_references_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_frame(text, KNOWN)


@pytest.mark.parametrize("name", ["7", "at:7", ""])
def test_a_colon_in_a_value_opens_no_slot(name):
    """Also where nobody says which slots there are."""
    message = f"a letter first, found '{name}'; .*spell it out in a value: 7:30 as 7 30"
    with pytest.raises(ValueError, match=message):
        parse_frame(f"wake time:at {name}:30")


@pytest.mark.parametrize(
    ("slot", "message"),
    [
        (("time", "7:30"), "no ':' in the value of slot time, found '7:30'; .*7 30"),
        (("time:of", "noon"), "has no ':' as name of a slot, found 'time:of'"),
        (("time", " "), "value of slot time"),
        (("time of", "noon"), "a word that .* name of a slot, found 'time of'"),
        (("1st", "noon"), "begins with a letter .* found '1st'"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(slot, message):
    with pytest.raises(ValueError, match=message):
        format_frame(SemanticFrame("wake", (slot,)))


@pytest.mark.parametrize("intent", ["", "wake up", "wake:up"])
def test_an_intent_is_one_word(intent):
    with pytest.raises(ValueError, match="one word without ':' as intent, found"):
        format_frame(SemanticFrame(intent, ()))


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("", "", []),
        ("size:small", "", [("size", "small")]),
        (
            "order size:small roast:dark roast size:large",
            "order",
            [("size", "small"), ("roast", "dark roast"), ("size", "large")],
        ),
        ("order please size:small now", "order", [("size", "small now")]),
        ("order size: roast:", "order", [("size", ""), ("roast", "")]),
        ("order size: small", "order", [("size", "small")]),
        ("order :small", "order", [("", "small")]),
    ],
)
def test_what_a_model_wrote_is_read_for_what_it_says(text, intent, slots):
    assert read_frame(text) == SemanticFrame(intent, tuple(slots))


def test_annotated_sentences():
    sentence = "wake me at [time : eight am] this [date : week]"
    slots = (("time", "eight am"), ("date", "week"))
    assert parse_annotation(sentence) == ("wake me at eight am this week", slots)
    assert parse_annotation("hello there") == ("hello there", ())


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("at [time:eight][date:today]", "at eight today"),
        ("at[time : eight]", "at eight"),
        ("[relation : mom]'s mail", "mom's mail"),
    ],
)
def test_annotated_words_do_not_run_together(sentence, said):
    assert parse_annotation(sentence)[0] == said


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("wake me at [time : eight", "balanced"),
        ("wake me at time : eight]", "balanced"),
        ("wake [time : me [date : week]]", "balanced"),
        ("wake me at [time]", "balanced"),
        ("wake me at [time : ]", "value of slot time"),
        ("wake me at [hour : eight]", "unknown slot.*'time'.*'hour'"),
    ],
)
def test_broken_annotations_are_refused(sentence, message):
    with pytest.raises(ValueError, match=message):
        parse_annotation(sentence, {"time", "date"})


def test_all_problems_of_a_set_are_listed(tmp_path):
    path = tmp_path / "text"
    path.write_text(f"a {TEXT}\nb\nc order small\n")
    with pytest.raises(ValueError, match="labels of 2 of 3 utterances") as caught:
        read_frames(path)
    lines = str(caught.value).split("\n")[1:]
    assert [line.split(":")[0].strip() for line in lines] == ["b", "c"]


def test_a_set_may_have_known_slots_only(tmp_path):
    path = tmp_path / "text"
    path.write_text(f"a {TEXT}\nb play title:star wars:four\n")
    assert len(read_frames(path)) == 2
    with pytest.raises(ValueError, match=r"b: unknown slot: expected one of .*'roast'"):
        read_frames(path, KNOWN)
