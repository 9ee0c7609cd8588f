"""The configurations of egs/superb: one for each trained task, official and here."""

from pathlib import Path

import pytest

from pruneasr.superb.config import read_config
from pruneasr.superb.tasks import TASKS

FOLDER = Path(__file__).parents[2] / "egs" / "superb" / "conf"
TRAINED = [task for task in TASKS if TASKS[task].probe is not None]


@pytest.mark.parametrize("kind", ["official", "excerpt"])
def test_every_trained_task_has_one(kind):
    found = sorted(path.stem for path in (FOLDER / kind).glob("*.yaml"))
    assert found == sorted(TRAINED)


@pytest.mark.parametrize("kind", ["official", "excerpt"])
@pytest.mark.parametrize("task", TRAINED)
def test_options_are_known_and_several_learning_rates_are_tried(kind, task):
    _, training = read_config(FOLDER / kind / f"{task}.yaml", task)
    assert len(training.learning_rates) > 1


@pytest.mark.parametrize(
    ("task", "sizes"),
    [
        ("pr", {"projection": 256}),
        ("asr", {"projection": 1024, "units": 1024, "layers": 2, "dropout": 0.2}),
        ("ks", {"projection": 256}),
        ("sd", {"units": 512, "layers": 1, "num_speakers": 2, "median_frames": 5}),
    ],
)
def test_official_sizes_are_those_of_superb(task, sizes):
    assert read_config(FOLDER / "official" / f"{task}.yaml", task)[0] == sizes
