"""Every task through the command line: features, train, decode, evaluate."""

import json

import numpy as np
import pytest
import soundfile
from tiny import random_encoder

from pruneasr.bin import superb
from pruneasr.data.datadir import read_table, write_table
from pruneasr.encoder import save_encoder
from pruneasr.superb.published import METRICS
from pruneasr.superb.tasks import TASKS

NUM_UTTERANCES = 4  # of a set
RATE = 16000
TRAINING = "{learning_rates: [0.01, 0.001], steps: 2, eval_steps: 1, batch_size: 3}"
# Head, and what the utterances of every set say
LSTM = "{projection: 8, units: 6, layers: 2, dropout: 0.2}"
CASES = {
    "pr": ("{projection: 8}", ["W AH N", "T UW", "W AH N T UW", "T UW"]),
    "asr": (LSTM, ["ONE", "TWO", "ONE TWO", "TWO"]),
    "ks": ("{projection: 8}", ["one", "two", "one", "two"]),
    "qbe": (None, ["one", "two", "two one", "one"]),
    "sid": ("{projection: 8}", ["s0", "s1", "s0", "s1"]),
    "sv": ("{units: 6, pooled_units: 8}", ["s0", "s1", "s0", "s1"]),
    "sd": ("{units: 6, median_frames: 3}", ["a:0:0.3 b:0.2:0.5", "c:0.1:0.4", "", ""]),
    "ic": ("{projection: 8}", ["on light", "off light", "on heat", "off heat"]),
    "sf": (LSTM, ["GO B-x ON E-x", "B-y UP E-y NOW", "B-x ON E-x B-y UP E-y", "NO"]),
    "er": ("{projection: 8}", ["calm", "anger", "calm", "anger"]),
}


def make_sets(folder, texts):
    """Data directories train, dev and test of half a second of noise an utterance."""
    generator = np.random.default_rng(0)
    for name in ("train", "dev", "test"):
        names = [f"{name}{i}" for i in range(NUM_UTTERANCES)]
        paths = {}
        for utterance in names:
            paths[utterance] = str(folder / f"{utterance}.wav")
            samples = generator.normal(size=RATE // 2).astype(np.float32) / 10
            soundfile.write(paths[utterance], samples, RATE)
        directory = folder / name
        directory.mkdir()
        write_table(directory / "wav.scp", paths)
        write_table(directory / "text", dict(zip(names, texts, strict=True)))
        write_table(directory / "queries", dict.fromkeys(names[:2], ""))
        trials = [(0, 2, "target"), (0, 1, "nontarget"), (1, 3, "target")]
        lines = [f"{names[a]} {names[b]} {kind}\n" for a, b, kind in trials]
        (directory / "trials").write_text("".join(lines))


def all_audio(folder):
    """One list of the audio of all sets."""
    tables = [read_table(path) for path in sorted(folder.glob("*/wav.scp"))]
    write_table(
        folder / "all.scp", {k: v for table in tables for k, v in table.items()}
    )
    return folder / "all.scp"


def test_every_task_is_here():
    assert CASES.keys() == TASKS.keys()


@pytest.mark.parametrize("task", CASES)
def test_a_task_goes_from_audio_to_its_metrics(task, tmp_path):
    if task == "sd":
        pytest.importorskip(
            "pyannote.metrics", reason="pyannote.metrics scores diarisation"
        )
    head, texts = CASES[task]
    make_sets(tmp_path, texts)
    save_encoder(random_encoder(), tmp_path / "encoder")

    def run(name, *options):
        superb.main([name, *map(str, options)])

    run(
        *("features", "--encoder", tmp_path / "encoder"),
        *("--wav-scp", all_audio(tmp_path), "--output", tmp_path / "features"),
    )
    config = []
    if head is not None:
        path = tmp_path / f"{task}.yaml"
        path.write_text(f"probe: {head}\ntraining: {TRAINING}\n")
        config = ["--config", path, "--train", tmp_path / "train"]
    exp, common = tmp_path / "exp", ["--task", task]
    read = [*common, "--features", tmp_path / "features"]
    run("train", *read, "--dev", tmp_path / "dev", "--output", exp, *config)
    predicted = exp / "test" / "predictions"
    data = ["--data", tmp_path / "test"]
    run("decode", *read, *data, "--experiment", exp, "--output", predicted)
    score = exp / "test" / "score.json"
    run("evaluate", *common, *data, "--predictions", predicted, "--output", score)
    references = read_table(tmp_path / "test" / ("queries" if head is None else "text"))
    assert read_table(predicted).keys() == references.keys()
    metrics = json.loads(score.read_text())["metrics"]
    assert metrics.keys() >= {name for name, of in METRICS.items() if of == task}
    assert all(np.isfinite(value) for value in metrics.values())
