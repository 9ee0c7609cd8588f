"""The mini corpora: made once, and what their sentences are like."""

import random

import pytest

from pruneasr.data.datadir import read_data_dir
from pruneasr.data.semantic_frames import parse_frame


@pytest.mark.integration
def test_corpus_is_made_once(recipe, run_data):
    folder = recipe("mini/asr1")
    options = ["--num-train", 12, "--num-dev", 4, "--num-test", 4]
    result = run_data(folder, *options)
    assert result.returncode == 0, result.stderr
    assert "data/train: 12 utterances" in result.stdout
    sets = {
        name: read_data_dir(folder / "data" / name) for name in ("train", "dev", "test")
    }
    assert [len(items) for items in sets.values()] == [12, 4, 4]
    lengths = (folder / "data" / "test" / "utt2num_samples").read_text().split()[1::2]
    assert all(8000 < int(length) < 56000 for length in lengths)

    audio = folder / "data" / "audio"
    times = {path: path.stat().st_mtime_ns for path in audio.rglob("*.flac")}
    assert len(times) == 20
    gone = next(iter(times))
    content = gone.read_bytes()
    gone.unlink()
    assert run_data(folder, *options).returncode == 0
    assert gone.read_bytes() == content
    kept = {path: path.stat().st_mtime_ns for path in audio.rglob("*.flac")}
    assert {path for path in kept if kept[path] != times[path]} == {gone}


def test_sentences_are_short(local_module):
    draw = local_module("mini/asr1", "make_corpus").draw
    lines = [draw(random.Random(seed)) for seed in range(50)]
    assert all(line.text == line.spoken.upper() for line in lines)
    assert all(2 <= len(line.text.split()) <= 6 for line in lines)


def test_commands_mean_what_they_say(local_module):
    module = local_module("mini/slu1", "make_corpus")
    names = {name.lower() for name in module.VALUES}
    intents = set()
    for seed in range(100):
        line = module.draw(random.Random(seed))
        frame = parse_frame(line.text, names)
        intents.add(frame.intent)
        position = 0
        for name, value in frame.slots:  # in the order in which they are spoken
            assert value in module.VALUES[name.upper()]
            position = line.spoken.index(value, position)
    assert intents == set(module.WORDINGS)
