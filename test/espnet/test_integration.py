"""ESPnet itself, unchanged, with our frontend: train, decode, pack, move, distribute.

ESPnet takes seconds to import, so each test starts as few processes as it can.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile
import torch
import yaml
from tiny import random_encoder, tiny_config

from pruneasr.encoder import save_encoder

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TEXTS = ["ab ba", "ba", "abba", "a b a"]
TOKENS = ["<blank>", "<unk>", "a", "b", "<space>", "<sos/eos>"]
TRAIN_CONFIG = {
    "frontend": "pruned_ssl",
    "frontend_conf": {"ckpt": "encoder", "arch": {}},
    "init": "xavier_uniform",
    "freeze_param": ["frontend.upstream.feature_extractor"],
    "normalize": "utterance_mvn",
    "encoder": "transformer",
    "encoder_conf": {
        "output_size": 16,
        "attention_heads": 2,
        "linear_units": 16,
        "num_blocks": 1,
        "input_layer": "linear",
    },
    "decoder": "transformer",
    "decoder_conf": {"attention_heads": 2, "linear_units": 16, "num_blocks": 1},
    "model_conf": {"extract_feats_in_collect_stats": False},
    "batch_type": "unsorted",
    "batch_size": 2,
    "max_epoch": 1,
    "keep_nbest_models": 1,
    "num_att_plot": 0,
    "use_matplotlib": False,
    "use_tensorboard": False,
    "optim_conf": {"lr": 0.001},
    "best_model_criterion": [["valid", "loss", "min"]],
    "token_type": "char",
    "token_list": "tokens.txt",
    "fold_length": [80000, 150],
    "ngpu": 0,
    "num_workers": 0,
}
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


def run(directory, *arguments, program=(sys.executable,)):
    done = subprocess.run(
        [*program, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": ":".join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout


def options(speech, text):
    return " ".join(
        f"--{part}_data_path_and_name_and_type {path}"
        for part in ("train", "valid")
        for path in (speech, text)
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Write an encoder, data and a configuration."""
    place = tmp_path_factory.mktemp("espnet")
    save_encoder(random_encoder(tiny_config(dropout=0.1)), place / "encoder")
    (place / "data").mkdir()
    (place / "exp").mkdir()
    generator = np.random.default_rng(0)
    scp, text = [], []
    for i, words in enumerate(TEXTS):
        path = place / "data" / f"utt{i}.wav"
        wave = 0.1 * generator.standard_normal(12000 + 1000 * i)
        soundfile.write(path, wave, 16000)
        scp.append(f"utt{i} {path}\n")
        text.append(f"utt{i} {words}\n")
    (place / "data/wav.scp").write_text("".join(scp))
    (place / "data/text").write_text("".join(text))
    (place / "tokens.txt").write_text("\n".join(TOKENS) + "\n")
    (place / "train.yaml").write_text(yaml.safe_dump(TRAIN_CONFIG))
    (place / "data.opts").write_text(
        options("data/wav.scp,speech,sound", "data/text,text,text")
    )
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
        *(place / "data.opts").read_text().split(),
        *(place / "shapes.opts").read_text().split(),
    ]


def test_asr_sh_trains_and_saves_a_self_contained_model(trained):
    conf = yaml.safe_load((trained / "exp/config.yaml").read_text())
    saved = conf["frontend_conf"]["arch"]
    assert yaml.safe_load(yaml.safe_dump(tiny_config(dropout=0.1).to_dict())) == saved
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
files = unpack("packed.zip", "unpacked")
model = Speech2Text(**files, beam_size=2, maxlenratio=0.5, device="cpu")
print("NBEST", len(model(soundfile.read(sys.argv[1])[0])))
"""


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
    # `encoder` is a relative path, so from tmp_path it does not exist
    assert "NBEST 1" in run(tmp_path, "-c", DECODE, wave)


UNDERSTAND = """
import sys
import pruneasr.espnet
import soundfile
from espnet2.bin.slu_inference import Speech2Understand
from espnet2.main_funcs.pack_funcs import unpack
files = unpack("slu.zip", "unpacked")
model = Speech2Understand(**files, beam_size=1, maxlenratio=0.2, device="cpu")
print("NBEST", len(model(soundfile.read(sys.argv[1], dtype="float32")[0])))
"""


def test_slu_trains_and_decodes_packed_elsewhere(trained, tmp_path):
    run(
        trained,
        *("-m", "pruneasr.run", "-m", "espnet2.bin.slu_train", "--output_dir", "slu"),
        *model_options(trained),
        *("--frontend_conf", "autocast=bfloat16", "--frontend_conf", "freeze=true"),
    )
    run(
        trained,
        *("-m", "pruneasr.bin.pack_slu", "--slu_train_config", "slu/config.yaml"),
        *("--slu_model_file", "slu/valid.loss.ave.pth"),
        *("--option", "tokens.txt", "--outpath", str(tmp_path / "slu.zip")),
    )
    wave = shutil.copy(trained / "data/utt0.wav", tmp_path)
    assert "NBEST 1" in run(tmp_path, "-c", UNDERSTAND, wave)


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
    if find_spec("loralib") is None:
        pytest.skip("loralib, which ESPnet's LoRA needs, is not installed")
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
