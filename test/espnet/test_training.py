"""Distil-pruning under ESPnet's trainer: stop and resume, errors, the removal."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from distill_training import differences, options, outcome, write_recipe
from espnet2.train.abs_espnet_model import AbsESPnetModel
from espnet2.train.distributed_utils import DistributedOption
from espnet2.train.reporter import Reporter

from pruneasr.encoder import load_encoder
from pruneasr.epochs import CHECKPOINT
from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.espnet.interrupt import Signals
from pruneasr.espnet.trainer import (
    PREVIOUS,
    SafeTrainer,
    complete_epoch,
    repair_checkpoint,
)
from pruneasr.espnet.training_model import TrainingModel

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recipe(tmp_path):
    """A folder with a teacher, a corpus and a config."""
    return write_recipe(tmp_path)


def command(recipe, output, *more):
    program = [sys.executable, "-m", "pruneasr.bin.distill_train"]
    return [*program, *options(recipe, output, *more)]


def run(arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def stop_in_epoch(arguments, epoch, log):
    """Start a training by run.pl, which gets SIGTERM in the middle of an epoch."""
    arguments = [str(ROOT / "utils/run.pl"), str(log), *arguments]
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not log.exists() or f"{epoch}/4epoch started" not in log.read_text():
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    return log.read_text()


@pytest.mark.integration
@pytest.mark.timeout(900)
def test_stopped_and_resumed_equals_undisturbed(recipe):
    done = run(command(recipe, "whole"))
    assert done.returncode == 0, done.stderr[-3000:]
    for field in (
        *("expected_sparsity_size=", "target_sparsity_size=", "lambda1_size="),
        *("loss=", "audio_sec_per_sec=", "minutes_left=", "frames="),
    ):
        assert field in done.stderr

    log = stop_in_epoch(command(recipe, "stopped"), 3, recipe / "stopped.log")
    assert "SIGTERM: stopped in epoch 3 after batch" in log
    assert "# Ended (code 143)" in log
    resumed = run(command(recipe, "stopped"))
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    assert "epoch 3 goes on after batch" in resumed.stderr
    assert differences(outcome(recipe / "whole"), outcome(recipe / "stopped")) == []
    weights = outcome(recipe / "whole")["latest.pth"]
    assert any("log_alpha" in name for name in weights)
    assert any("lambda1" in name for name in weights)

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
    ("more", "message"),
    [
        (["--units", "qk", "heads"], "expected distinct units"),
        (["--units", "qk", "--constraint_conf", "target=0.9"], "leave at least"),
        (["--teacher", "nowhere"], "nowhere"),
        (["--constraint_conf", "targett=0.9"], "targett"),
    ],
    ids=["unit", "target", "teacher", "key"],
)
def test_bad_options_stop_at_once(recipe, more, message):
    parser = DistillPruneTask.get_parser()
    args = parser.parse_args(options(recipe, "bad", *more))
    with pytest.raises((ValueError, TypeError), match=message):
        DistillPruneTask.build_model(args)


def test_unknown_options_are_refused(recipe, capsys):
    with pytest.raises(SystemExit):
        DistillPruneTask.main(cmd=options(recipe, "bad", "--no_such_option", "1"))
    assert "no_such_option" in capsys.readouterr().err


class Infinite(AbsESPnetModel):
    """A finite loss whose gradient is not."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, **_):
        return self.weight.sqrt().sum(), {}, torch.tensor(1.0)

    def collect_feats(self, **_):
        return {}


def test_an_epoch_without_a_step_is_no_success(recipe):
    parser = DistillPruneTask.get_parser()
    args = parser.parse_args(options(recipe, "none", "--output_dir", str(recipe)))
    model, reporter = Infinite(), Reporter(1)
    SafeTrainer.signals = Signals()
    with (
        reporter.observe("train") as observed,
        pytest.raises(FloatingPointError, match="no gradient of epoch 1 was finite"),
    ):
        SafeTrainer.train_one_epoch(
            model=model,
            iterator=[(["a"], {"speech": torch.zeros(1, 8)})],
            optimizers=[torch.optim.SGD(model.parameters(), lr=0.1)],
            schedulers=[None],
            scaler=None,
            reporter=observed,
            summary_writer=None,
            options=SafeTrainer.build_options(args),
            distributed_option=DistributedOption(distributed=False),
        )


def test_a_process_for_several_gpus_is_refused(recipe):
    args = DistillPruneTask.get_parser().parse_args(options(recipe, "two"))
    args.ngpu, args.distributed = 2, False
    with pytest.raises(ValueError, match="--multiprocessing_distributed true"):
        DistillPruneTask.main_worker(args)


class Diverging(torch.nn.Module):
    """An objective that has lost its numbers."""

    def forward(self, waveforms, lengths):
        return waveforms.mean() * float("nan"), {}


def test_a_loss_that_is_not_finite_names_the_utterances():
    model = TrainingModel(Diverging(), None, 8)
    with pytest.raises(FloatingPointError, match=r"nan on the utterances a-1 b-2"):
        model(torch.ones(2, 10), torch.tensor([10, 9]), ["a-1", "b-2"])


class Constant(torch.nn.Module):
    """An objective whose loss is a mean over seven frames."""

    def forward(self, waveforms, lengths):
        return waveforms.mean(), {"frames": torch.tensor(7.0)}


def test_the_weight_of_a_batch_is_its_number_of_frames():
    model = TrainingModel(Constant(), None, 8)
    _, stats, weight = model(torch.ones(2, 10), torch.tensor([10, 9]), ["a", "b"])
    assert weight.item() == stats["frames"].item() == 7


def test_autocast_must_be_a_half_precision_type():
    with pytest.raises(ValueError, match="bfloat16"):
        TrainingModel(Diverging(), "float64", 8)


def test_the_checkpoint_before_replaces_a_half_written_one(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"PK half a file")
    torch.save({"epoch": 1}, tmp_path / PREVIOUS)
    repair_checkpoint(tmp_path)
    assert torch.load(tmp_path / CHECKPOINT) == {"epoch": 1}


def test_without_a_whole_checkpoint_the_training_begins_again(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"PK half a file")
    repair_checkpoint(tmp_path)
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_damaged_checkpoint_of_a_later_epoch_is_an_error(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"PK half a file")
    (tmp_path / "2epoch.pth").touch()
    with pytest.raises(ValueError, match=re.escape(CHECKPOINT)):
        repair_checkpoint(tmp_path)


def test_what_follows_a_checkpoint_is_completed(tmp_path):
    reporter = Reporter()
    for epoch, loss in enumerate((3.0, 1.0, 2.0), 1):
        reporter.set_epoch(epoch)
        with reporter.observe("valid") as observed:
            observed.register({"loss": loss})
            observed.next()
        torch.save({"epoch": epoch}, tmp_path / f"{epoch}epoch.pth")
    states = {"model": {"epoch": 3}, "reporter": reporter.state_dict()}
    torch.save(states, tmp_path / CHECKPOINT)
    (tmp_path / "3epoch.pth").write_bytes(b"PK half a file")
    (tmp_path / "latest.pth").symlink_to("2epoch.pth")
    complete_epoch(tmp_path, [("valid", "loss", "min"), ("valid", "absent", "max")])
    assert torch.load(tmp_path / "latest.pth") == {"epoch": 3}
    assert torch.load(tmp_path / "valid.loss.best.pth") == {"epoch": 2}
    assert not list(tmp_path.glob(".*"))
