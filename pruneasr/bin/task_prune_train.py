"""Prune an encoder under the loss of a task; options are those of ESPnet's task.

    python -m pruneasr.bin.task_prune_train --task asr --config conf/prune_asr.yaml \
        --token_list data/tokens_char/tokens.txt --frontend_conf ckpt=exp/teacher \
        --init_param exp/asr_teacher_seed1/valid.cer_ctc.ave.pth::model \
        --output_dir exp/hj --train_data_path_and_name_and_type ...

``--task slu`` for understanding; ``--task asr --help`` for all options. The weights of
a model that was fine-tuned before go to ``model``, as above.
"""

from __future__ import annotations

from pruneasr.errors import in_a_line
from pruneasr.espnet.named_task import run_named
from pruneasr.espnet.prune_task import TASKS


@in_a_line
def main(cmd: list[str] | None = None) -> None:
    """Run the task that ``--task`` names."""
    run_named(TASKS, __doc__.split("\n")[0], cmd)


if __name__ == "__main__":
    main()
