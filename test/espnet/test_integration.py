"""ESPnet itself, unchanged, with our frontend: train, decode, pack, move, distribute.

ESPnet takes seconds to import, so each test starts as few processes as it can.
"""

import re
import shutil
import sys
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile
import torch
import yaml
from asr_training import DATA_OPTIONS, ENCODER, run, write_training

from pruneasr.data.tokens import make_token_list

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

# As asr.sh: ${python} is not quoted, and training goes through launch and a queue.
CALLER = """
set -euo pipefail
python="%s -m pruneasr.run"
opts="--config train.yaml --frontend_conf fs=16k $(cat data.opts)"
${python} -m espnet2.bin.asr_train --collect_stats true --output_dir stats ${opts} \
    --train_shape_file data/wav.scp --valid_shape_file data/wav.scp \
    --frontend_conf ckpt=/nowhere
for s in train valid; do
    awk '{print $0 ",6"}' stats/${s}/text_shape > stats/${s}/text_shape.char
done
${python} -m espnet2.bin.launch --cmd "./cmd.sh" --log exp/train.log --ngpu 0 \
    --num_nodes 1 --init_file_prefix exp/.dist_init_ -- \
    ${python} -m espnet2.bin.asr_train --output_dir exp ${opts} $(cat shapes.opts)
"""
QUEUE = """#!/usr/bin/env bash
set -euo pipefail
while [ "$1" != exp/train.log ]; do shift; done
shift
"$@" > exp/train.log 2>&1
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Write an encoder, data, a configuration, and what asr.sh would pass on."""
    place = tmp_path_factory.mktemp("espnet")
    write_training(place)
    (place / "exp").mkdir()
    (place / "data.opts").write_text(" ".join(DATA_OPTIONS))
    (place / "shapes.opts").write_text(
        " ".join(
            f"--{part}_shape_file stats/{part}/{shape}"
            for part in ("train", "valid")
            for shape in ("speech_shape", "text_shape.char")
        )
    )
    (place / "cmd.sh").write_text(QUEUE)
    (place / "cmd.sh").chmod(0o755)
    return place


@pytest.fixture(scope="module")
def trained(place):
    """Run statistics (with a ckpt that is not there) and training as asr.sh does."""
    run(place, "-c", CALLER % sys.executable, program=("bash",))
    return place


def model_options(place):
    return [
        *("--config", "train.yaml"),
        *DATA_OPTIONS,
        *(place / "shapes.opts").read_text().split(),
    ]


def test_asr_sh_trains_and_saves_a_self_contained_model(trained):
    conf = yaml.safe_load((trained / "exp/config.yaml").read_text())
    saved = conf["frontend_conf"]["arch"]
    assert yaml.safe_load(yaml.safe_dump(ENCODER.to_dict())) == saved
    state = torch.load(trained / "exp/valid.loss.ave.pth", weights_only=True)
    assert "frontend.upstream.blocks.0.attention.branch.q_proj.weight" in state
    log = (trained / "exp/train.log").read_text()
    assert "weights of the encoder from encoder" in log


DECODE = """
import sys
import pruneasr.espnet
from espnet2.bin.asr_inference import Speech2Text
from espnet2.main_funcs.pack_funcs import unpack
import soundfile
files = %s
model = Speech2Text(**files, beam_size=2, maxlenratio=0.5, device="cpu")
_, _, tokens, best = model(soundfile.read(sys.argv[1])[0])[0]
print("BEST", tokens, f"{float(best.score):.3f}")
"""


def best(place, program, wave):
    """The line of tokens and score that a program says of a recording."""
    return re.search(r"^BEST \[.*\] -?[\d.]+$", run(place, "-c", program, wave), re.M)[
        0
    ]


def test_packed_model_decodes_elsewhere_without_the_encoder(trained, tmp_path):
    run(
        trained,
        *("-m", "pruneasr.run", "-m", "espnet2.bin.pack", "asr"),
        *("--asr_train_config", "exp/config.yaml"),
        *("--asr_model_file", "exp/valid.loss.ave.pth"),
        *("--option", "tokens.txt", "--outpath", "packed.zip"),
    )
    shutil.move(trained / "packed.zip", tmp_path)
    wave = shutil.copy(trained / "data/utt0.wav", tmp_path)
    with zipfile.ZipFile(tmp_path / "packed.zip") as packed:
        assert not [name for name in packed.namelist() if "safetensors" in name]
    model = {"asr_train_config": "exp/config.yaml"}
    model["asr_model_file"] = "exp/valid.loss.ave.pth"
    # `encoder` is a relative path, so from tmp_path it does not exist
    packed = 'unpack("packed.zip", "unpacked")'
    assert best(tmp_path, DECODE % packed, wave) == best(trained, DECODE % model, wave)


def test_decoding_goes_on_after_a_clip_shorter_than_a_frame(trained):
    """As for ESPnet's other encoders: a warning, and no words."""
    soundfile.write(trained / "data/click.wav", np.ones(399) * 0.1, 16000)
    (trained / "test.scp").write_text("click data/click.wav\nutt0 data/utt0.wav\n")
    run(
        trained,
        *("-m", "pruneasr.run", "-m", "espnet2.bin.asr_inference"),
        *("--data_path_and_name_and_type", "test.scp,speech,sound"),
        *("--asr_train_config", "exp/config.yaml", "--output_dir", "decoded"),
        *("--asr_model_file", "exp/valid.loss.ave.pth", "--maxlenratio", "0.5"),
        *("--beam_size", "2", "--ngpu", "0", "--num_workers", "0"),
    )
    scores = (trained / "decoded/1best_recog/score").read_text().splitlines()
    assert scores[0] == "click 0.0"
    assert scores[1].startswith("utt0 ")


UNDERSTAND = """
import sys
import pruneasr.espnet
import soundfile
from espnet2.bin.slu_inference import Speech2Understand
from espnet2.main_funcs.pack_funcs import unpack
files = %s
model = Speech2Understand(**files, beam_size=1, maxlenratio=0.2, device="cpu")
best = model(soundfile.read(sys.argv[1], dtype="float32")[0])[0]
print("BEST", best[2], f"{float(best[-1].score):.3f}")
"""


def test_slu_of_pieces_trains_and_decodes_packed_elsewhere(trained, tmp_path):
    pieces = trained / "bpe"
    make_token_list(trained / "data/text", pieces, token_type="bpe", nbpe=9)
    run(
        trained,
        *("-m", "pruneasr.run", "-m", "espnet2.bin.slu_train", "--output_dir", "slu"),
        *(*model_options(trained), "--token_type", "bpe"),
        *("--token_list", "bpe/tokens.txt", "--bpemodel", "bpe/bpe.model"),
        *("--frontend_conf", "autocast=bfloat16", "--frontend_conf", "freeze=true"),
    )
    run(
        trained,
        *("-m", "pruneasr.bin.pack_slu", "--slu_train_config", "slu/config.yaml"),
        *("--slu_model_file", "slu/valid.loss.ave.pth"),
        *("--option", "bpe/bpe.model", "--outpath", str(tmp_path / "slu.zip")),
    )
    wave = shutil.copy(trained / "data/utt0.wav", tmp_path)
    model = {"slu_train_config": "slu/config.yaml"}
    model["slu_model_file"] = "slu/valid.loss.ave.pth"
    here = best(trained, UNDERSTAND % model, wave)
    assert best(tmp_path, UNDERSTAND % 'unpack("slu.zip", "unpacked")', wave) == here


SPAWN = """
import pruneasr.espnet, sys, torch.multiprocessing
from argparse import Namespace
from espnet2.tasks.asr import ASRTask

def worker(args):
    ASRTask.main_worker(args)
    torch.distributed.barrier()  # neither leaves while the other still talks to it
    torch.distributed.destroy_process_group()
def main():
    args = ASRTask.get_parser().parse_args(sys.argv[1:])
    assert not args.unused_parameters
    args.version = "test"
    context = torch.multiprocessing.get_context("spawn")
    children = []
    for rank in range(2):  # as AbsTask.main does, but without GPUs
        local = Namespace(**{**vars(args), "dist_rank": rank, "distributed": True})
        children.append(context.Process(target=worker, args=(local,)))
        children[-1].start()
    [child.join() for child in children]
    sys.exit(any(child.exitcode for child in children))

if __name__ == "__main__":
    main()
"""


def test_two_spawned_processes_train_without_unused_parameters(trained):
    (trained / "spawn.py").write_text(SPAWN)
    run(
        trained,
        *("spawn.py", *model_options(trained), "--output_dir", "ddp"),
        *("--dist_backend", "gloo", "--dist_world_size", "2", "--max_epoch", "2"),
        *("--dist_init_method", f"file://{trained}/ddp.init"),
        *("--frontend_conf", "multilayer_feature=false", "--frontend_conf", "layer=1"),
    )
    state = torch.load(trained / "ddp/2epoch.pth", weights_only=True)
    blocks = {name.split(".")[3] for name in state if ".upstream.blocks." in name}
    assert blocks == {"0"}


EZ = """
import pruneasr.espnet
import espnetez as ez
conf = ez.config.from_yaml("asr", "train.yaml")
conf["token_list"] = open("tokens.txt").read().split("\\n")[:-1]
info = {"speech": ("wav.scp", "sound"), "text": ("text", "text")}
trainer = ez.Trainer(task="asr", train_config=conf, output_dir="ez", stats_dir="ezs",
    data_info=info, train_dump_dir="data", valid_dump_dir="data", ngpu=0)
trainer.collect_stats()
trainer.train()
"""


def test_espnetez_trains(place):
    if find_spec("espnetez") is None:
        pytest.skip("this release of espnet has no espnetez")
    run(place, "-c", EZ)
    conf = yaml.safe_load((place / "ez/config.yaml").read_text())
    assert conf["frontend_conf"]["arch"]["dim"] == 32


def test_lora_of_espnet_trains_and_is_loaded_again(trained):
    run(
        trained,
        *("-m", "pruneasr.run", "-m", "espnet2.bin.asr_train"),
        *(*model_options(trained), "--output_dir", "lora"),
        *("--freeze_param", "frontend.upstream", "--use_adapter", "true"),
        *("--adapter", "lora", "--save_strategy", "required_grad_only"),
        *("--adapter_conf", "target_modules=[q_proj, v_proj]"),
    )
    code = (
        "import pruneasr.espnet\nfrom espnet2.tasks.asr import ASRTask\n"
        "ASRTask.build_model_from_file('lora/config.yaml', 'lora/1epoch.pth')\n"
    )
    run(trained, "-c", code)
    state = torch.load(trained / "lora/1epoch.pth", weights_only=True)
    adapters = [n for n in state if n.startswith("frontend.upstream.")]
    assert len(adapters) == 3 * 2 * 2  # blocks, targets, factors; B starts at 0
    assert all(state[n].any() for n in adapters if n.endswith("lora_B"))
