"""An epoch that ends between two batches, without a training around it."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch
from espnet2.train.reporter import Reporter
from torch.multiprocessing.spawn import ProcessExitedException
from torch.utils.data import DataLoader

from pruneasr.espnet.interrupt import (
    SIGNALS,
    UNFINISHED,
    OpenEpoch,
    Signals,
    passed_on,
    remove_unfinished,
)


class Work:
    """A model, its optimiser and an epoch of six batches, in a folder."""

    def __init__(self, folder, accum_grad=1):
        torch.manual_seed(0)
        self.signals = Signals()
        self.model = torch.nn.Linear(3, 1)
        self.optimizer = torch.optim.AdamW(self.model.parameters())
        self.reporter = Reporter(1).start_epoch("train")
        self.epoch = OpenEpoch(
            *(self.signals, folder, self.model, [self.optimizer, None], self.reporter),
            accum_grad=accum_grad,
        )
        self.seen = []

    def train(self, batches, stop_after=0):
        """Train on random noise; note the batches; a signal comes with one of them."""
        for batch in self.epoch.training(batches):
            self.seen.append(batch.item())
            if len(self.seen) == stop_after:
                self.signals.number = signal.SIGTERM
            loss = self.model(torch.randn(2, 3)).square().mean()
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.reporter.register({"loss": loss.detach()})
            self.reporter.next()
        return self


def loader(num_workers=0):
    numbers = torch.arange(6)
    batches = [[i] for i in range(6)]
    return DataLoader(numbers, batch_sampler=batches, num_workers=num_workers)


def stream():
    yield from loader()


def stopped(folder, after, batches=None, **options):
    """Train until a signal has ended the epoch; return what has been done."""
    work = Work(folder, **options)
    with pytest.raises(SystemExit) as end:
        work.train(batches or loader(), stop_after=after)
    assert end.value.code == 143
    return work


@pytest.mark.parametrize("after", [1, 4, 6])
@pytest.mark.parametrize("batches", [loader, stream])
def test_an_epoch_goes_on_with_the_next_batch(tmp_path, after, batches):
    whole = Work(tmp_path / "whole").train(batches())
    before = stopped(tmp_path, after, batches())
    rest = Work(tmp_path).train(batches())
    assert before.seen + rest.seen == whole.seen == list(range(6))
    assert torch.equal(rest.model.weight, whole.model.weight)
    assert rest.reporter.stats == whole.reporter.stats
    assert rest.reporter.count == rest.reporter.total_count == 6
    assert torch.equal(rest.epoch.random["torch"], whole.epoch.random["torch"])


def test_a_validation_that_is_stopped_begins_again(tmp_path):
    work = Work(tmp_path).train(loader())
    state = work.epoch.random["torch"]
    validation = work.epoch.validation(loader())
    next(validation)
    torch.rand(9)
    work.signals.number = signal.SIGUSR1
    with pytest.raises(SystemExit) as end:
        next(validation)
    assert end.value.code == 138
    again = Work(tmp_path).train(loader())
    assert again.seen == []
    assert torch.equal(again.model.weight, work.model.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_gradients_are_not_lost_between_the_batches_of_a_step(tmp_path):
    assert stopped(tmp_path, 3, accum_grad=2).seen == [0, 1, 2, 3]


def test_a_damaged_file_is_not_used(tmp_path, caplog):
    stopped(tmp_path, 2)
    path = tmp_path / f"1{UNFINISHED}"
    path.write_bytes(path.read_bytes()[:-100])
    assert Work(tmp_path).train(loader()).seen == list(range(6))
    assert "damaged" in caplog.text


def test_a_file_of_more_processes_is_not_used(tmp_path, caplog):
    stopped(tmp_path, 2)
    path = tmp_path / f"1{UNFINISHED}"
    states = torch.load(path, weights_only=False)
    states["random"] *= 2
    torch.save(states, path)
    assert Work(tmp_path).train(loader()).seen == list(range(6))
    assert "2 processes instead of 1" in caplog.text


def test_files_of_other_epochs_are_removed(tmp_path):
    stopped(tmp_path, 2)
    (tmp_path / f".2{UNFINISHED}.99").touch()  # half-written
    remove_unfinished(tmp_path, but=1)
    assert [path.name for path in tmp_path.iterdir()] == [f"1{UNFINISHED}"]
    remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_signals_are_noted_for_a_while_only():
    before = [signal.getsignal(number) for number in SIGNALS]
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert signals.agreed() == signal.SIGUSR1
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_worker_processes_do_not_get_the_signals(tmp_path):
    work = Work(tmp_path)
    batches = work.epoch.training(loader(num_workers=1))
    next(batches)
    (worker,) = torch.multiprocessing.active_children()
    rows = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
    (blocked,) = [row.split()[1] for row in rows if row.startswith("SigBlk")]
    assert all(int(blocked, 16) >> (number - 1) & 1 for number in SIGNALS)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & set(SIGNALS)
    batches.close()
    worker.join(5)
    assert worker.exitcode == 0


@pytest.mark.parametrize(("code", "status"), [(143, 143), (-15, 143), (138, 138)])
def test_the_main_process_ends_with_the_status_of_the_others(code, status):
    with pytest.raises(SystemExit) as end, passed_on():
        raise ProcessExitedException("ended", 0, 1, code)
    assert end.value.code == status


def _wait_as_a_new_process(ready):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ready.set()
    time.sleep(60)


def test_the_main_process_passes_signals_on_and_lives():
    context = torch.multiprocessing.get_context("fork")
    ready = context.Event()
    with passed_on():
        child = context.Process(target=_wait_as_a_new_process, args=(ready,))
        child.start()
        assert ready.wait(10)
        os.kill(os.getpid(), signal.SIGTERM)
        child.join(10)
    assert child.exitcode == -signal.SIGTERM


def test_another_status_is_a_failure():
    with pytest.raises(ProcessExitedException), passed_on():
        raise ProcessExitedException("failed", 0, 1, 1)
