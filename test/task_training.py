"""Trainings of a task: a few steps without data on disk, or a recipe of seconds."""

import numpy as np
import soundfile
import torch
import yaml
from tiny import random_encoder

from pruneasr.encoder import save_encoder
from pruneasr.espnet.prune_task import TASKS

UNITS = ("conv", "head", "ffn")  # those of [P23]
SEP_MAC = {"kind": "sep_mac", "target": {"mac_cnn": 0.4, "mac_transformer": 0.2}}

TOKENS = ["<blank>", "<unk>", "a", "b", "c", "<sos/eos>"]
OPTIONS = {
    "frontend": "pruned_ssl",
    "token_list": TOKENS,
    "encoder": "transformer",
    "encoder_conf": {
        "output_size": 16,
        "attention_heads": 2,
        "linear_units": 16,
        "num_blocks": 1,
        "input_layer": "linear",
    },
    "model_conf": {"ctc_weight": 1.0, "extract_feats_in_collect_stats": False},
    "optim": "adamw",
    "optim_conf": {"lr": 1e-3},
    "optim2": "adamw",
    "optim2_conf": {"lr": 0.1, "weight_decay": 0.0},
    "num_iters_per_epoch": 8,
    "max_epoch": 1,
    "output_dir": "unused",
}


def task_options(task, ckpt, units, constraint, **options):
    """Options of a task, with a constraint that warms up within half of the steps."""
    args = TASKS[task].get_parser().parse_args([])
    conf = {"ckpt": str(ckpt), "arch": {}}
    values = {"frontend_conf": conf, "units": list(units), **OPTIONS, **options}
    for name, value in values.items():
        assert name in args, name
        setattr(args, name, value)
    args.constraint_conf = {"warmup": 0.5, **constraint}
    return args


def batch():
    torch.manual_seed(0)
    return {
        "speech": 0.1 * torch.randn(2, 6000),
        "speech_lengths": torch.tensor([6000, 5000]),
        "text": torch.tensor([[2, 3, 4], [4, 2, -1]]),
        "text_lengths": torch.tensor([3, 2]),
    }


def train(model, optimizers, steps):
    """Do what ESPnet's trainer does in a step; return the statistics of the last."""
    model.train()
    for _ in range(steps):
        loss, stats, _ = model(**batch())
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    return stats


def write_recipe(folder, task, units=UNITS, ckpt=None):
    """Write a corpus, an encoder and a configuration; return options of a training.

    Without units it is a fine-tuning, else one with gates.
    """
    ckpt = ckpt or folder / "encoder"
    if not ckpt.exists():
        save_encoder(random_encoder(), ckpt)
    generator = np.random.default_rng(0)
    tables = {"wav.scp": "", "text": "", "speech_shape": ""}
    for i in range(4):
        path = folder / f"{i}.wav"
        soundfile.write(path, 0.1 * generator.standard_normal(6000), 16000)
        tables["wav.scp"] += f"utt{i} {path}\n"
        tables["text"] += f"utt{i} a b c a\n"
        tables["speech_shape"] += f"utt{i} 6000\n"
    for name, content in tables.items():
        (folder / name).write_text(content)
    config = {
        **{key: value for key, value in OPTIONS.items() if key != "output_dir"},
        "batch_type": "unsorted",
        "batch_size": 2,
        "num_iters_per_epoch": 4,
        "max_epoch": 2,
        "num_att_plot": 0,
        "use_matplotlib": False,
        "use_tensorboard": False,
        "num_workers": 0,
        "token_type": "word",
        "ngpu": 0,
        "best_model_criterion": [["valid", "loss", "min"]],
        "resume": True,
        "frontend_conf": {"ckpt": str(ckpt), "arch": {}},
    }
    if units:
        config |= {"units": list(units), "constraint_conf": {"warmup": 0.5, **SEP_MAC}}
    else:
        for key in ("optim2", "optim2_conf"):
            del config[key]
    (folder / f"{ckpt.name}.yaml").write_text(yaml.safe_dump(config))
    options = ["--task", task, "--config", f"{folder}/{ckpt.name}.yaml"]
    for part in ("train", "valid"):
        options += [f"--{part}_shape_file", f"{folder}/speech_shape"]
        for data in ("wav.scp,speech,sound", "text,text,text"):
            options += [f"--{part}_data_path_and_name_and_type", f"{folder}/{data}"]
    return options
