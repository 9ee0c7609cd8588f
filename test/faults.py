"""Kills and stops trainings at chosen moments, and compares how they end.

Starting Python and ESPnet takes seconds, so each start of a training is a fork of a
process that has imported everything. A fork tells in shared memory what it is doing;
it writes its files slowly, as large ones are written, so that kills find half of them.
"""

import io
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import torch
from distill_training import NUM_BATCHES, NUM_EPOCHS, differences, options, outcome

from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.espnet.interrupt import UNFINISHED
from pruneasr.espnet.training_model import TrainingModel
from pruneasr.processes import rank

MOMENTS = ("start or end", "training", "validation", "writing a checkpoint")
START, TRAINING, VALIDATION, WRITING = range(4)
WRITING_SEC = 0.06  # for each file
PATIENCE_SEC = 120  # until a process that hangs is a failure


class Watched:
    """What a training is doing, and how often it has begun to, in shared memory."""

    def __init__(self):
        """Nothing has begun."""
        self.values = multiprocessing.Array("i", 2 + len(MOMENTS), lock=False)

    @property
    def doing(self):
        return self.values[0]

    def count(self, moment):
        return self.values[2 + moment]

    def begin(self, moment):
        before = self.values[0]
        self.values[0] = moment
        self.values[2 + moment] += 1
        return before


def watch(watched):
    """Let trainings in this process tell what they do, and write slowly."""
    save, forward = torch.save, TrainingModel.forward

    def slow_save(states, path, **how):
        if not isinstance(path, Path):  # torch's own copies in memory
            return save(states, path, **how)
        before = watched.begin(WRITING)
        content = io.BytesIO()
        save(states, content)
        tenth = len(content.getbuffer()) // 10 + 1
        with Path(path).open("wb", buffering=0) as file:
            while part := content.getvalue()[file.tell() : file.tell() + tenth]:
                file.write(part)
                time.sleep(WRITING_SEC / 10)
        watched.values[0] = before
        return None

    def noted_forward(model, speech, speech_lengths, utt_id, **labels):
        if rank() == 0:
            watched.begin(TRAINING if model.training else VALIDATION)
        result = forward(model, speech, speech_lengths, utt_id, **labels)
        if model.training:
            print("TRAINED", int(model.progress.done), rank(), *utt_id)
        return result

    mock.patch.object(torch, "save", slow_save).start()
    mock.patch.object(TrainingModel, "forward", noted_forward).start()


def training(watched, experiment, arguments):
    """Be one start of a training, in a process of its own.

    The arguments are a command line, or the options of one of several processes.
    """
    os.setpgrp()  # signals go to the group, as those of run.pl and schedulers do
    log = experiment.with_suffix(".log").open("a", buffering=1)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    sys.stdout, sys.stderr = log, log
    watch(watched)
    if isinstance(arguments, list):
        DistillPruneTask.main(cmd=arguments)
    else:
        DistillPruneTask.main_worker(arguments)
        torch.distributed.barrier()  # neither leaves while the other still talks to it
        torch.distributed.destroy_process_group()
    watched.begin(START)


def of_two(watched, experiment, arguments):
    """Be the second process of a training by two, and start the first; no GPU.

    ESPnet starts several processes for several GPUs only.
    """
    meeting = experiment.with_suffix(f".{os.getpid()}.init")

    def start(number):
        args = DistillPruneTask.get_parser().parse_args(
            [
                *arguments,
                *("--dist_backend", "gloo", "--dist_world_size", "2"),
                *("--dist_init_method", f"file://{meeting}"),
            ]
        )
        args.version, args.distributed, args.dist_rank = "test", True, number
        training(watched, experiment, args)

    first = multiprocessing.get_context("fork").Process(target=start, args=(0,))
    first.start()
    try:
        start(1)
    finally:
        first.join()
        watched.values[1] = first.exitcode


@dataclass(frozen=True)
class Fault:
    """A signal, sent some time after the process has begun something so many times."""

    signal: signal.Signals
    moment: int
    times: int
    delay_sec: float


def random_faults(number, signals, generator):
    """Draw faults over all moments, most of them in the midst of the work."""
    for i in range(number):
        moment = (TRAINING, VALIDATION, WRITING, TRAINING, START)[i % 5]
        most = {START: 0, TRAINING: 2 * NUM_BATCHES, VALIDATION: 12, WRITING: 4}[moment]
        longest = WRITING_SEC if moment == WRITING else 0.05
        times = generator.randint(min(1, most), most)
        delay = generator.uniform(0, 0.5 if moment == START else longest)
        yield Fault(signals[i % len(signals)], moment, times, delay)


@dataclass
class Trainings:
    """Trainings of one kind that suffer faults, one after the other."""

    folder: Path
    name: str
    arguments: tuple[str, ...] = ()
    start: Callable[[Watched, Path, list[str]], None] = training
    number: int = 1
    hits: Counter = field(default_factory=Counter)  # (signal, moment) of each fault

    @property
    def experiment(self):
        return self.folder / f"{self.name}{self.number}"

    def finish(self, fault=None):
        """Start the training; return whether it ended before the fault."""
        watched = Watched()
        process = multiprocessing.get_context("fork").Process(
            target=self.start,
            args=(
                watched,
                self.experiment,
                options(self.folder, self.experiment.name, *self.arguments),
            ),
        )
        process.start()
        hit = fault is not None and self._send(fault, watched, process)
        process.join(PATIENCE_SEC)
        if process.exitcode is None:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"{self.experiment} hangs after {fault}")
        if not hit or process.exitcode == 0:
            assert process.exitcode == 0, self.log()[-3000:]
            return True
        expected = {-fault.signal}  # also of signals before there is anything to save
        if fault.signal != signal.SIGKILL:
            expected |= {128 + fault.signal}
        if self.start is of_two:
            assert watched.values[1] == process.exitcode, self.log()[-3000:]
        assert process.exitcode in expected, self.log()[-3000:]
        self.hits[fault.signal.name, watched.doing] += 1
        return False

    def _send(self, fault, watched, process):
        while watched.count(fault.moment) < fault.times:
            if not process.is_alive():
                return False
            time.sleep(0.001)
        time.sleep(fault.delay_sec)
        if not process.is_alive():
            return False
        # of two processes only one is told
        (os.kill if self.start is of_two else os.killpg)(process.pid, fault.signal)
        return True

    def suffer(self, faults):
        """Send all faults, to as many trainings as it takes, and finish the last."""
        for fault in faults:
            while self.finish(fault):  # too late: the next training gets it
                self.number += 1
        self.finish()

    def log(self):
        return self.experiment.with_suffix(".log").read_text()

    def experiments(self):
        return [self.folder / f"{self.name}{i + 1}" for i in range(self.number)]


def batches(experiment):
    """Every batch that was trained, as number, process and utterances, sorted."""
    rows = experiment.with_suffix(".log").read_text().splitlines()
    words = [row.split()[1:] for row in rows if row.startswith("TRAINED ")]
    return sorted((int(n), int(process), *utts) for n, process, *utts in words)


def epochs(experiment):
    """Epochs whose results the log tells, in order."""
    rows = experiment.with_suffix(".log").read_text().splitlines()
    found = [row.split("INFO: ")[1] for row in rows if "epoch results: " in row]
    return [int(row.split("epoch results")[0]) for row in found]


def losses(experiment, whole, repeats):
    """What differs from an undisturbed training: results, batches, epochs, files.

    ``repeats``: what a kill has undone may stand in the log twice.
    """
    lost = differences(outcome(whole), outcome(experiment))
    done, told = batches(experiment), epochs(experiment)
    if repeats:
        done, told = sorted(set(done)), list(dict.fromkeys(told))
    if done != batches(whole):
        lost.append(f"batches {set(done) ^ set(batches(whole)) or 'repeated'}")
    if told != list(range(1, NUM_EPOCHS + 1)):
        lost.append(f"epochs {told}")
    return lost + [str(path) for path in experiment.glob(f"*{UNFINISHED}*")]
