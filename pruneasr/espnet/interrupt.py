"""Ends a training at its next step when a signal asks for it, and nothing is lost.

SIGTERM comes from ``kill``, ``scancel`` and time limits, SIGUSR1 from schedulers that
are told to warn before a limit. After either, the step is finished, the state of the
epoch goes to ``<epoch>epoch.unfinished.pth``, and the process ends with 128 plus the
number of the signal: 143 or 138. The next start goes on with the next batch, as if
nothing had been. All processes of a training stop at the same step.

The checkpoints at the end of epochs are ESPnet's; see trainer.py. What preprocessing
draws in the loader's own processes (noise, reverberation, speed) is not part of the
state: the rest of the epoch draws it anew. The recipes here draw nothing there.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import random
import signal
import sys
import time
import zipfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Self

import numpy as np
import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import ProcessExitedException

from pruneasr import processes
from pruneasr.files import whole

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
# what a process ends with that has saved its epoch
STATUSES = tuple(128 + number for number in SIGNALS)
UNFINISHED = "epoch.unfinished.pth"


class Signals:
    """Notes SIGTERM and SIGUSR1, which do nothing else inside a ``with``."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.number = 0

    def __enter__(self) -> Self:
        """Begin to note; in the main thread only, as Python wants it."""
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Do with signals what was done before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.number = number

    def agreed(self) -> int:
        """Return the signal that came to any process of the training, 0 if none did."""
        return processes.largest(self.number)


class OpenEpoch:
    """An epoch from its first batch to its checkpoint, with all that steps change.

    Hands out the batches of its training and of its validation; between two of them the
    process may end, by SystemExit, and the epoch goes on when it is opened again.
    """

    def __init__(
        self,
        signals: Signals,
        output_dir: Path,
        model: nn.Module,
        others: Sequence[Any],
        reporter: Any,
        accum_grad: int,
    ) -> None:
        """Open an epoch.

        Args:
            signals: what asks for the end.
            output_dir: keeps the state of an unfinished epoch.
            model: as it is trained, with or without a wrapper of torch.nn.parallel.
            others: optimisers, schedulers and scaler; None is allowed.
            reporter: ESPnet's SubReporter of the training.
            accum_grad: batches per step; between them there is no end.
        """
        self.signals = signals
        self.number = int(reporter.get_epoch())
        self.path = output_dir / f"{self.number}{UNFINISHED}"
        model = getattr(model, "module", model)
        self.parts = [model, *(part for part in others if part is not None)]
        self.reporter = reporter
        self.accum_grad = accum_grad
        self.position = 0
        self.random: dict[str, Any] = {}

    def training(self, batches: Iterable[Any]) -> Generator[Any, None, None]:
        """Yield the batches that are still to be trained."""
        with _held_back():
            iterator = self._go_on(batches)
        while not (number := self._asked()) and (batch := _fetch(iterator)) is not None:
            self.position += 1
            yield batch
        del iterator  # ends its worker processes
        self.random = random_state()
        if number:
            self._stop(number)

    def validation(self, batches: Iterable[Any]) -> Generator[Any, None, None]:
        """Yield the batches of the validation; an unfinished one begins again."""
        with _held_back():
            iterator = iter(batches)
        while not (number := self.signals.agreed()):
            if (batch := _fetch(iterator)) is None:
                return
            yield batch
        del iterator
        self._stop(number)

    def _asked(self) -> int:
        at_step = self.position % self.accum_grad == 0
        return self.signals.agreed() if at_step else 0

    def _stop(self, number: int) -> None:
        self._save()
        logging.warning(
            "%s: stopped in epoch %d after batch %d, exit status %d; nothing is lost, "
            "a start with --resume true goes on there",
            *(signal.Signals(number).name, self.number, self.position, 128 + number),
        )
        processes.wait_for_all()  # the first has saved
        if distributed.is_initialized():
            distributed.destroy_process_group()
        sys.exit(128 + number)

    def _save(self) -> None:
        states = {
            "position": self.position,
            "parts": [part.state_dict() for part in self.parts],
            "reporter": vars(self.reporter)
            | {"start_time": time.perf_counter() - self.reporter.start_time},
            "random": processes.of_all(self.random),
        }
        if processes.rank() == 0:
            write(states, self.path)

    def _go_on(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Restore what was saved, if it was, and return the batches that follow."""
        states = self._read()
        if states is None:
            return iter(batches)
        self.position = states["position"]
        iterator = _after(batches, self.position)
        for part, state in zip(self.parts, states["parts"], strict=True):
            part.load_state_dict(state)
        vars(self.reporter).update(states["reporter"])
        self.reporter.start_time = time.perf_counter() - self.reporter.start_time
        # last: making the iterator draws random numbers
        set_random_state(states["random"][processes.rank()])
        logging.info("epoch %d goes on after batch %d", self.number, self.position)
        return iterator

    def _read(self) -> dict[str, Any] | None:
        """Return the saved state, None if there is none of as many processes."""
        states: dict[str, Any] | None = None
        if zipfile.is_zipfile(self.path):  # half of torch's zip files is none
            states = torch.load(self.path, map_location="cpu", weights_only=False)
        found = 0 if states is None else len(states["random"])
        if not processes.largest(found != processes.num_processes()):
            return states
        if self.path.exists():
            logging.warning(
                "%s is damaged or of %d processes instead of %d; epoch %d begins again",
                *(self.path, found, processes.num_processes(), self.number),
            )
        return None


def remove_unfinished(output_dir: Path, but: int = 0) -> None:
    """Remove the states of epochs that are complete: all but that of one epoch."""
    for path in output_dir.glob(f"*{UNFINISHED}*"):
        if path.name != f"{but}{UNFINISHED}":
            path.unlink()


def write(states: Any, path: Path) -> None:
    """Write a file of torch, whole or not at all."""
    with whole(path) as partial:
        torch.save(states, partial)


def random_state() -> dict[str, Any]:
    """Return the state of all generators that a training draws from."""
    cuda = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002, what ESPnet draws from
        "torch": torch.get_rng_state(),
        "cuda": cuda,
    }


def set_random_state(states: dict[str, Any]) -> None:
    """Set the generators to what :func:`random_state` returned."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if states["cuda"] is not None:
        torch.cuda.set_rng_state(states["cuda"])


@contextmanager
def passed_on() -> Iterator[None]:
    """Pass SIGTERM and SIGUSR1 on to the processes that this one has started.

    ESPnet's main process only waits for one process per GPU. It ends with their status;
    while there is none the signals do what they always do.
    """

    def pass_on(number: int, _: FrameType | None) -> None:
        children = multiprocessing.active_children()
        for child in children:
            assert child.pid is not None
            os.kill(child.pid, number)
        if not children:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    before = {number: signal.signal(number, pass_on) for number in SIGNALS}
    try:
        yield
    except ProcessExitedException as error:
        status = 128 - error.exit_code if error.exit_code < 0 else error.exit_code
        if status not in STATUSES:
            raise
        sys.exit(status)
    except SystemExit as end:
        if end.code in STATUSES:
            # all is saved; to take torch apart takes seconds, on a busy machine more
            # than the time that is left
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(end.code))
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _after(batches: Iterable[Any], position: int) -> Iterator[Any]:
    """Return an iterator that begins behind so many batches."""
    sampler = getattr(batches, "batch_sampler", None)
    if isinstance(sampler, list):  # of ESPnet's usual iterator: nothing is read
        del sampler[:position]
        return iter(batches)
    iterator = iter(batches)
    next(itertools.islice(iterator, position, position), None)
    return iterator


def _fetch(iterator: Iterator[Any]) -> Any:
    """Return the next batch or None."""
    with _held_back():  # ESPnet's other iterators start their processes here
        return next(iterator, None)


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold the signals back, for good in processes that are started meanwhile.

    Signals are sent to whole process groups and jobs, and a training cannot finish its
    step without the processes that read for it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
