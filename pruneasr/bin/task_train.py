"""Train recognition or understanding by ESPnet's own task, safe against being stopped.

    python -m pruneasr.bin.task_train --task asr --config conf/train_asr.yaml \
        --token_list data/tokens_char/tokens.txt --frontend_conf ckpt=exp/teacher \
        --output_dir exp/asr --train_data_path_and_name_and_type ...

Options, model and files are those of ``espnet2.bin.asr_train`` and ``slu_train``
(``--task asr --help``). A signal that asks for the end is obeyed at the next step, and
the same command goes on there; a kill costs at most an epoch.
"""

from __future__ import annotations

from pruneasr.errors import in_a_line
from pruneasr.espnet.named_task import run_named
from pruneasr.espnet.tune_task import TASKS


@in_a_line
def main(cmd: list[str] | None = None) -> None:
    """Run the task that ``--task`` names."""
    run_named(TASKS, __doc__.split("\n")[0], cmd)


if __name__ == "__main__":
    main()
