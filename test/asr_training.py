"""A tiny training of ESPnet: an encoder, four utterances of noise, a configuration."""

import os
import subprocess
import sys

import numpy as np
import soundfile
import yaml
from tiny import random_encoder, tiny_config

from pruneasr.encoder import save_encoder

ENCODER = tiny_config(dropout=0.1)
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
DATA_OPTIONS = [
    option
    for part in ("train", "valid")
    for data in ("data/wav.scp,speech,sound", "data/text,text,text")
    for option in (f"--{part}_data_path_and_name_and_type", data)
]


def write_training(place):
    """Write `encoder`, `data`, `tokens.txt` and `train.yaml` below a folder."""
    save_encoder(random_encoder(ENCODER), place / "encoder")
    (place / "data").mkdir()
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


def run(directory, *arguments, program=(sys.executable,)):
    """Run a program without the `.pth` file that registers the frontend by itself."""
    path = ":".join(folder for folder in sys.path if folder)
    done = subprocess.run(
        [*program, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": path, "PRUNEASR_NO_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout
