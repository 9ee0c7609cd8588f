"""The programs that train: what they say of errors; test/espnet has what they do."""

from importlib import import_module

import pytest
from torch.multiprocessing import ProcessRaisedException

from pruneasr.espnet.safe_task import SafeTask

OPTIONS = {
    "distill_train": [],
    "recover_train": [],
    "pretrain_train": [],
    "task_train": ["--task", "asr"],
    "task_prune_train": ["--task", "slu"],
}


@pytest.fixture(params=OPTIONS)
def end_with(request, monkeypatch):
    """Return a function that runs a program whose training ends with an error."""
    program = import_module(f"pruneasr.bin.{request.param}")

    def run(error):
        def main(*_, **__):
            raise error

        monkeypatch.setattr(SafeTask, "main", main)
        program.main(OPTIONS[request.param])

    return run


def test_what_can_be_mended_is_a_line(end_with, capsys):
    with pytest.raises(SystemExit, match="1"):
        end_with(ValueError("target sparsity 1.2 of size cannot be reached"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(": target sparsity 1.2 of size cannot be reached")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a defect"),
        # of a process that was spawned; holds the traceback of its error
        ProcessRaisedException("Traceback: ValueError", 0, 1),
        SystemExit(143),  # obeys a signal
    ],
)
def test_other_ends_are_left_alone(end_with, error):
    with pytest.raises(type(error)) as caught:
        end_with(error)
    assert caught.value is error
