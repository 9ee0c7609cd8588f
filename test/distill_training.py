"""A distill-pruning small enough to run in seconds: its data, options and outcome."""

import numpy as np
import soundfile
import torch
import yaml
from tiny import random_encoder, tiny_config

from pruneasr.encoder import save_encoder
from pruneasr.epochs import CHECKPOINT

NUM_EPOCHS = 4
NUM_BATCHES = 8  # of an epoch
CONFIG = {
    "teacher_layers": [1, 2, 3],
    "units": ["qk", "vo", "ffn", "mha_layer", "ffn_layer"],
    "constraint_conf": {"target": 0.5, "warmup": 0.3},
    "optim": "adamw",
    "optim_conf": {"lr": 1e-3},
    "scheduler": "linearwarmupdecay",
    "optim2": "adamw",
    "optim2_conf": {"lr": 0.1, "weight_decay": 0.0},
    "batch_type": "numel",
    "batch_bins": 20000,
    "num_iters_per_epoch": NUM_BATCHES,
    "max_epoch": NUM_EPOCHS,
    "best_model_criterion": [["valid", "distance", "min"]],
    "num_workers": 0,
    "num_att_plot": 0,
    "use_matplotlib": False,
    "use_tensorboard": False,
    "ngpu": 0,
}
# what the clock decides, and no training can repeat
MEASURED = {"time", "audio_sec_per_sec", "minutes_left", "gpu_max_cached_mem_GB"}


def write_recipe(folder, dropout=0.0, num_utterances=16):
    """Write a teacher, a corpus of synthetic speech-like noise and a config."""
    save_encoder(random_encoder(tiny_config(dropout=dropout)), folder / "teacher")
    generator = np.random.default_rng(0)
    wav, samples = [], []
    for i in range(num_utterances):
        length = 6000 + 150 * i
        path = folder / f"{i:02d}.wav"
        soundfile.write(path, generator.normal(size=length) * 0.1, 16000)
        wav.append(f"utt{i:02d} {path}\n")
        samples.append(f"utt{i:02d} {length}\n")
    (folder / "wav.scp").write_text("".join(wav))
    (folder / "utt2num_samples").write_text("".join(samples))
    (folder / "distill.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


def options(recipe, output, *more):
    data = f"{recipe}/wav.scp,speech,sound"
    return [
        *("--config", f"{recipe}/distill.yaml", "--teacher", f"{recipe}/teacher"),
        *("--output_dir", f"{recipe}/{output}", "--resume", "true"),
        *("--train_data_path_and_name_and_type", data),
        *("--valid_data_path_and_name_and_type", data),
        *("--train_shape_file", f"{recipe}/utt2num_samples"),
        *("--valid_shape_file", f"{recipe}/utt2num_samples"),
        *more,
    ]


def statistics(experiment):
    """What the checkpoint remembers of every epoch, without measured times."""
    states = torch.load(experiment / CHECKPOINT, weights_only=False)
    return {
        (epoch, phase, name): value
        for epoch, phases in states["reporter"]["stats"].items()
        for phase, values in phases.items()
        for name, value in values.items()
        if name not in MEASURED and not name.endswith("_time")
    }


def outcome(experiment):
    """All that a training leaves, by name: metrics, weights, gates, optimisers."""
    states = torch.load(experiment / CHECKPOINT, weights_only=False)
    names = ("latest.pth", "valid.distance.best.pth", "valid.distance.ave.pth")
    return {
        "statistics": statistics(experiment),
        "optimizers": states["optimizers"],
        "schedulers": states["schedulers"],
        **{name: torch.load(experiment / name) for name in names},
    }


def differences(first, second, name=""):
    """Names of what is not equal, bit by bit, in two nested outcomes."""
    if isinstance(first, torch.Tensor):
        return [] if torch.equal(first, second) else [name]
    if isinstance(first, dict) and isinstance(second, dict):
        if first.keys() != second.keys():
            return [f"{name} has {sorted(map(str, first.keys() ^ second.keys()))}"]
        pairs = [(str(key), first[key], second[key]) for key in first]
    elif isinstance(first, list | tuple) and len(first) == len(second):
        pairs = zip(map(str, range(len(first))), first, second, strict=True)
    else:
        same = first == second or (first != first and second != second)
        return [] if same else [f"{name}: {first} {second}"]
    return [d for key, a, b in pairs for d in differences(a, b, f"{name}/{key}")]
