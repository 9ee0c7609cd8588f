"""Distil-pruning under ESPnet's trainer: resume after a kill, errors, the removal."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import torch
import yaml
from tiny import random_encoder

from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.espnet.trainer import CHECKPOINT, PREVIOUS, repair_checkpoint
from pruneasr.espnet.training_model import TrainingModel

CONFIG = {
    "teacher_layers": [1, 2, 3],
    "units": ["qk", "vo", "ffn", "mha_layer", "ffn_layer"],
    "constraint_conf": {"target": 0.5, "warmup": 0.3},
    "optim": "adamw",
    "optim_conf": {"lr": 1e-3},
    "scheduler": "linearwarmupdecay",
    "optim2": "adamw",
    "optim2_conf": {"lr": 0.1, "weight_decay": 0.0},
    "batch_type": "numel",
    "batch_bins": 20000,
    "num_iters_per_epoch": 8,
    "max_epoch": 4,
    "best_model_criterion": [["valid", "distance", "min"]],
    "num_workers": 0,
    "num_att_plot": 0,
    "use_matplotlib": False,
    "use_tensorboard": False,
    "ngpu": 0,
}


@pytest.fixture
def recipe(tmp_path):
    """A folder with a teacher, a corpus and a config."""
    save_encoder(random_encoder(), tmp_path / "teacher")
    generator = np.random.default_rng(0)
    wav, samples = [], []
    for i in range(16):
        length = 6000 + 150 * i
        path = tmp_path / f"{i:02d}.wav"
        soundfile.write(path, generator.normal(size=length) * 0.1, 16000)
        wav.append(f"utt{i:02d} {path}\n")
        samples.append(f"utt{i:02d} {length}\n")
    (tmp_path / "wav.scp").write_text("".join(wav))
    (tmp_path / "utt2num_samples").write_text("".join(samples))
    (tmp_path / "distill.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path


def command(recipe, output, *options, module="distill_train"):
    data = f"{recipe}/wav.scp,speech,sound"
    return [
        *(sys.executable, "-m", f"pruneasr.bin.{module}"),
        *("--config", f"{recipe}/distill.yaml", "--teacher", f"{recipe}/teacher"),
        *("--output_dir", f"{recipe}/{output}", "--resume", "true"),
        *("--train_data_path_and_name_and_type", data),
        *("--valid_data_path_and_name_and_type", data),
        *("--train_shape_file", f"{recipe}/utt2num_samples"),
        *("--valid_shape_file", f"{recipe}/utt2num_samples"),
        *options,
    ]


def run(arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def kill_in_epoch(arguments, epoch, log_path):
    """Start a training and kill it with SIGKILL in the middle of an epoch."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log_path.open("w") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, env=env)
        deadline = time.monotonic() + 120
        while f"{epoch}/4epoch started" not in log_path.read_text():
            assert process.poll() is None, log_path.read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()


def epoch_losses(experiment):
    states = torch.load(experiment / CHECKPOINT, weights_only=False)
    stats = states["reporter"]["stats"]
    return {epoch: values["train"]["loss"] for epoch, values in sorted(stats.items())}


@pytest.mark.integration
@pytest.mark.timeout(400)
def test_killed_and_resumed_equals_undisturbed(recipe):
    done = run(command(recipe, "whole"))
    assert done.returncode == 0, done.stderr[-3000:]
    for field in (
        *("expected_sparsity_size=", "target_sparsity_size=", "lambda1_size="),
        *("loss=", "audio_sec_per_sec=", "minutes_left="),
    ):
        assert field in done.stderr

    kill_in_epoch(command(recipe, "killed"), 3, recipe / "killed.log")
    assert len(epoch_losses(recipe / "killed")) == 2
    # the kill may also strike while the checkpoint is written
    checkpoint = recipe / "killed" / CHECKPOINT
    whole_file = checkpoint.read_bytes()
    (recipe / "killed" / PREVIOUS).write_bytes(whole_file)
    checkpoint.write_bytes(whole_file[: len(whole_file) // 2])
    resumed = run(command(recipe, "killed"))
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    assert "going back one epoch" in resumed.stderr

    assert epoch_losses(recipe / "whole") == epoch_losses(recipe / "killed")
    whole, killed = (
        torch.load(recipe / name / "latest.pth") for name in ("whole", "killed")
    )
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    assert any("log_alpha" in name for name in whole)
    assert any("lambda1" in name for name in whole)

    pruned = run(
        [
            *(sys.executable, "-m", "pruneasr.bin.prune"),
            *("--experiment", str(recipe / "whole"), "--output", str(recipe / "out")),
        ]
    )
    assert pruned.returncode == 0, pruned.stderr[-3000:]
    report = json.loads((recipe / "out" / "report.json").read_text())
    encoder = load_encoder(recipe / "out")
    assert report["parameters"]["total"][1] == sum(
        parameter.numel() for parameter in encoder.parameters()
    )
    assert report["sparsity"]["actual"]["size"] == pytest.approx(0.5, abs=0.005)
    for name in ("report.md", "structure.png", "history.png"):
        assert (recipe / "out" / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--units", "qk", "heads"], "expected distinct units"),
        (["--units", "qk", "--constraint_conf", "target=0.9"], "leave at least"),
        (["--teacher", "nowhere"], "nowhere"),
        (["--constraint_conf", "targett=0.9"], "targett"),
    ],
    ids=["unit", "target", "teacher", "key"],
)
def test_bad_options_stop_at_once(recipe, options, message):
    parser = DistillPruneTask.get_parser()
    args = parser.parse_args(command(recipe, "bad", *options)[3:])
    with pytest.raises((ValueError, TypeError), match=message):
        DistillPruneTask.build_model(args)


def test_unknown_options_are_refused(recipe, capsys):
    with pytest.raises(SystemExit):
        DistillPruneTask.main(cmd=command(recipe, "bad", "--no_such_option", "1")[3:])
    assert "no_such_option" in capsys.readouterr().err


class Diverging(torch.nn.Module):
    """An objective that has lost its numbers."""

    def forward(self, waveforms, lengths):
        return waveforms.mean() * float("nan"), {}


def test_a_loss_that_is_not_finite_names_the_utterances():
    model = TrainingModel(Diverging(), None, None)
    with pytest.raises(FloatingPointError, match=r"nan on the utterances a-1 b-2"):
        model(torch.ones(2, 10), torch.tensor([10, 9]), ["a-1", "b-2"])


def test_autocast_must_be_a_half_precision_type():
    with pytest.raises(ValueError, match="bfloat16"):
        TrainingModel(Diverging(), "float64", None)


def test_a_damaged_checkpoint_without_another_is_an_error(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"PK half a file")
    with pytest.raises(ValueError, match=re.escape(CHECKPOINT)):
        repair_checkpoint(tmp_path)
