"""Pre-train an encoder by masked prediction; options are ESPnet's, see --help.

    python -m pruneasr.bin.pretrain_train --config conf/pretrain.yaml \
        --encoder exp/init --output_dir exp/pretrain \
        --train_data_path_and_name_and_type data/pretrain/wav.scp,speech,sound \
        --train_data_path_and_name_and_type exp/clusters/pretrain,labels,text_int \
        --train_shape_file data/pretrain/utt2num_samples ...
"""

from __future__ import annotations

from pruneasr.errors import in_a_line
from pruneasr.espnet.pretrain_task import PretrainTask


@in_a_line
def main(cmd: list[str] | None = None) -> None:
    """Run the task."""
    PretrainTask.main(cmd=cmd)


if __name__ == "__main__":
    main()
