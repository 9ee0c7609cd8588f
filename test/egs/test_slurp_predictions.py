"""What a model understood, in the form of SLURP's own evaluation."""

import json
import sys

import pytest

AUDIO = {"audio__1": "/x/audio--1.flac", "audio_2_headset": "x/audio-2-headset.flac"}
MEANT = {"audio__1": "calendar_set date:today 's", "audio_2_headset": "iot_hue_off"}


@pytest.fixture
def export(local_module, write_tables, monkeypatch, tmp_path):
    """Return a function that exports hypotheses: the predictions and the rates."""
    module = local_module("slurp/slu1", "predictions")
    data = write_tables(wav_scp=AUDIO, text=MEANT)

    def run(understood):
        lines = [f"{name} {text}\n" for name, text in understood.items()]
        (tmp_path / "hyp").write_text("".join(lines))
        options = ["--data", str(data), "--hyp", str(tmp_path / "hyp")]
        monkeypatch.setattr(
            sys, "argv", ["predictions", *options, f"--output={tmp_path}"]
        )
        module.main()
        lines = (tmp_path / "predictions.jsonl").read_text().splitlines()
        rates = json.loads((tmp_path / "score_slurp.json").read_text())
        return [json.loads(line) for line in lines], rates

    return run


def test_a_line_for_each_recording(export, capsys):
    understood = {"audio_2_headset": "iot_hue_on time: date:now"}
    predictions, rates = export(understood | {"audio__1": MEANT["audio__1"]})
    assert sorted(predictions, key=lambda item: item["file"]) == [
        {
            "file": "audio--1.flac",
            "scenario": "calendar",
            "action": "set",
            "entities": [{"type": "date", "filler": "today 's"}],
        },
        {
            "file": "audio-2-headset.flac",
            "scenario": "iot",
            "action": "hue_on",
            "entities": [
                {"type": "time", "filler": ""},
                {"type": "date", "filler": "now"},
            ],
        },
    ]
    assert rates == {"scenario_accuracy": 100, "action_accuracy": 50}
    assert "action_accuracy 50.0" in capsys.readouterr().out


def test_what_has_no_intent_is_wrong(export):
    predictions, rates = export({"audio__1": "date:today", "audio_2_headset": ""})
    assert {item["scenario"] + item["action"] for item in predictions} == {""}
    assert rates == {"scenario_accuracy": 0, "action_accuracy": 0}


def test_the_same_recordings_are_needed(export, capsys):
    with pytest.raises(SystemExit, match="1"):
        export({"audio__1": "calendar_set"})
    assert "1 missing ['audio_2_headset']" in capsys.readouterr().err
