"""Fine-tuning by ESPnet's tasks, made safe: the same training, and none is lost."""

import pytest
import torch
from espnet2.tasks.asr import ASRTask
from espnet2.tasks.slu import SLUTask
from task_training import write_recipe

from pruneasr.bin.task_train import main
from pruneasr.epochs import CHECKPOINT
from pruneasr.espnet.tune_task import TASKS

ESPNET_TASKS = {"asr": ASRTask, "slu": SLUTask}


def latest(folder):
    return torch.load(folder / "latest.pth")


@pytest.mark.integration
@pytest.mark.parametrize("task", TASKS)
def test_trains_as_espnet_does_and_survives_a_half_written_checkpoint(tmp_path, task):
    command = write_recipe(tmp_path, task, units=None)
    espnet, ours = tmp_path / "espnet", tmp_path / "ours"
    without_task = command[command.index("--config") :]
    ESPNET_TASKS[task].main(cmd=[*without_task, "--output_dir", str(espnet)])
    main([*command, "--output_dir", str(ours)])
    assert latest(ours).keys() == latest(espnet).keys()
    assert all(torch.equal(latest(ours)[n], t) for n, t in latest(espnet).items())

    main([*command, "--output_dir", str(ours), "--max_epoch", "3"])
    whole = latest(ours)
    checkpoint = ours / CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])  # killed in the third epoch
    main([*command, "--output_dir", str(ours), "--max_epoch", "3"])
    assert all(torch.equal(latest(ours)[name], t) for name, t in whole.items())
