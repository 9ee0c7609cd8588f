"""Distil-prune an encoder; options are ESPnet's, see --help.

    python -m pruneasr.bin.distill_train --config conf/distill.yaml \
        --teacher exp/teacher --output_dir exp/distill \
        --train_data_path_and_name_and_type data/train/wav.scp,speech,sound \
        --train_shape_file data/train/utt2num_samples ...
"""

from __future__ import annotations

from pruneasr.errors import in_a_line
from pruneasr.espnet.distill_task import DistillPruneTask


@in_a_line
def main(cmd: list[str] | None = None) -> None:
    """Run the task."""
    DistillPruneTask.main(cmd=cmd)


if __name__ == "__main__":
    main()
