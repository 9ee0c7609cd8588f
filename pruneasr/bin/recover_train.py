"""Distil a teacher into a removed or any smaller encoder; options are ESPnet's.

    python -m pruneasr.bin.recover_train --config conf/recover.yaml \
        --teacher exp/teacher --student exp/pruned --output_dir exp/recover \
        --train_data_path_and_name_and_type data/train/wav.scp,speech,sound \
        --train_shape_file data/train/utt2num_samples ...
"""

from __future__ import annotations

from pruneasr.errors import in_a_line
from pruneasr.espnet.distill_task import RecoverTask


@in_a_line
def main(cmd: list[str] | None = None) -> None:
    """Run the task."""
    RecoverTask.main(cmd=cmd)


if __name__ == "__main__":
    main()
