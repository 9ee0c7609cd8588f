"""A few steps of a task with gates, in this process and without data on disk."""

import torch

from pruneasr.espnet.prune_task import TASKS

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
