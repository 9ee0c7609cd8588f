"""The configurations of egs/superb: one for each trained task, official and here."""

from pathlib import Path

import pytest

from pruneasr.superb.config import read_config
from pruneasr.superb.tasks import TASKS

FOLDER = Path(__file__).parents[2] / "egs" / "superb" / "conf"
TRAINED = [task for task in TASKS if TASKS[task].probe is not None]

POOLED = {"projection": 256}
LSTM = {"projection": 1024, "units": 1024, "layers": 2, "dropout": 0.2}
XVECTOR = {"units": 512, "pooled_units": 1500, "scale": 30.0, "margin": 0.4}
SPEAKERS = {"units": 512, "layers": 1, "num_speakers": 2, "median_frames": 11}
SUPERB = {
    # what s3prl's downstream/*/*.yaml say: sizes of the head, updates, updates between
    # two looks at dev, utterances per batch x batches per update, clipping, rate
    "pr": (POOLED, 100_000, 1000, 16 * 2, 1, 1e-2),
    "asr": (LSTM, 200_000, 2000, 32 * 1, 1, 1e-4),
    "ks": (POOLED, 200_000, 5000, 32 * 1, 1, 1e-4),
    "sid": (POOLED, 200_000, 5000, 8 * 4, 1, 1e-4),
    # of verification: updates between two checkpoints that test_expdir.sh compares
    "sv": (XVECTOR, 200_000, 20_000, 10 * 5, 1000, 1e-4),
    "sd": (SPEAKERS, 30_000, 500, 8 * 4, 1, 1e-4),
    "ic": (POOLED, 200_000, 5000, 32 * 1, 1, 1e-4),
    "sf": (LSTM, 200_000, 2000, 32 * 1, 1, 1e-4),
    "er": (POOLED, 30_000, 1000, 4 * 8, 1, 1e-4),
}
# Training utterances are cut: s3prl's max_timestep of 128000 samples, and a second of
# silence. AdamW's decay is torch's where s3prl names AdamW; elsewhere it has Adam.
MAX_SAMPLES = {"sid": 128_000, "sv": 128_000, "ks": 16_000}
WEIGHT_DECAY = {"sv": 0.01}


@pytest.mark.parametrize("kind", ["official", "excerpt"])
def test_every_trained_task_has_one(kind):
    found = sorted(path.stem for path in (FOLDER / kind).glob("*.yaml"))
    assert found == sorted(TRAINED) == sorted(SUPERB)


@pytest.mark.parametrize("kind", ["official", "excerpt"])
@pytest.mark.parametrize("task", TRAINED)
def test_options_are_known_and_several_learning_rates_are_tried(kind, task):
    _, training = read_config(FOLDER / kind / f"{task}.yaml", task)
    assert len(training.learning_rates) > 1


@pytest.mark.parametrize("task", SUPERB)
def test_official_configurations_are_those_of_superb(task):
    sizes, training = read_config(FOLDER / "official" / f"{task}.yaml", task)
    *expected, rate = SUPERB[task]
    steps = training.steps, training.eval_steps, training.batch_size, training.clip
    assert [sizes, *steps] == expected
    # s3prl's rate has neighbours on both sides
    assert min(training.learning_rates) < rate < max(training.learning_rates)
    assert rate in training.learning_rates
    samples = MAX_SAMPLES.get(task)
    # of an encoder with a receptive field of 400 samples and a hop of 320
    assert training.max_frames == (samples and (samples - 400) // 320 + 1)
    assert training.weight_decay == WEIGHT_DECAY.get(task, 0)
    assert training.balanced == (task == "ks")


@pytest.mark.parametrize("task", ["pr", "ks", "sid", "ic", "er"])
def test_small_heads_try_large_rates_on_the_excerpts(task):
    _, training = read_config(FOLDER / "excerpt" / f"{task}.yaml", task)
    assert max(training.learning_rates) == 0.1
