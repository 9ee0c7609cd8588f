"""DPHuBERT checkpoints, made from torchaudio's models without our converter.

The reference is a dense torchaudio model in which everything that was removed is zero;
the checkpoint holds what is left of the same tensors.
"""

from __future__ import annotations

import dataclasses
from itertools import cycle, islice

import torch
from reference_models import TINY, Reference, Shape, torchaudio
from torch import Tensor, nn

# What three blocks keep, and every three after them; None: the branch is gone.
HEADS = ([0, 2], None, [1])
FFN = (list(range(5, 25)), [0, 7, 39], None)


@dataclasses.dataclass(frozen=True)
class Pruned:
    """A checkpoint and the model that computes the same."""

    checkpoint: dict[str, object]
    reference: Reference


class NoAttention(nn.Module):
    """Adds nothing and passes no position bias on."""

    def forward(self, x: Tensor, **_: object) -> tuple[Tensor, None]:
        return torch.zeros_like(x), None


def dphubert(
    family: str, size: str, shape: Shape = TINY, heads=HEADS, ffn=FFN
) -> Pruned:
    """Prune torchaudio's model."""
    reference = torchaudio(family, size, shape)
    heads, ffn = (tuple(islice(cycle(x), shape.blocks)) for x in (heads, ffn))
    wrapper = reference.module
    model = getattr(wrapper, "model", wrapper)
    scale = torch.linspace(
        0.5, 1.5, model.feature_extractor.conv_layers[-1].conv.out_channels
    )
    model.feature_extractor.register_forward_hook(
        lambda _module, _inputs, output: (output[0] * scale, output[1])
    )
    state = _plain_names(model.state_dict())
    state["feature_extractor.dummy_weight"] = scale
    for i, layer in enumerate(model.encoder.transformer.layers):
        root = f"encoder.transformer.layers.{i}."
        _prune_attention(layer, state, root + "attention.", heads[i])
        _prune_feed_forward(layer, state, root + "feed_forward.", ffn[i])
    if family == "wavlm" and heads[0] is None:
        model.encoder.transformer.layers[0].attention = NoAttention()
    return Pruned(
        {
            "state_dict": state,
            "config": _options(family, size, shape, model, heads, ffn),
            "distill_linear_projs": {},
        },
        reference,
    )


def _plain_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Undo torchaudio's packed projections and torch's newer names of weight norm."""
    plain: dict[str, Tensor] = {}
    for name, tensor in state.items():
        name = name.replace("parametrizations.weight.original0", "weight_g")
        name = name.replace("parametrizations.weight.original1", "weight_v")
        name = name.replace("attention.attention.", "attention.")
        if ".in_proj_" in name:
            for part, letter in zip(tensor.chunk(3), "qkv", strict=True):
                plain[name.replace("in_proj_", f"{letter}_proj.")] = part
        else:
            plain[name] = tensor
    return {name: tensor.clone() for name, tensor in plain.items()}


def _prune_attention(layer, state, root, heads):
    inner = getattr(layer.attention, "attention", layer.attention)
    width = inner.head_dim
    kept = [head * width + i for head in heads or () for i in range(width)]
    _zero_columns(inner.out_proj, kept, heads is None)
    for name in [name for name in state if name.startswith(root)]:
        if heads is None:
            del state[name]
        elif name.endswith("out_proj.weight"):
            state[name] = state[name][:, kept]
        elif any(f".{letter}_proj." in name for letter in "qkv"):
            state[name] = state[name][kept]


def _prune_feed_forward(layer, state, root, kept):
    _zero_columns(layer.feed_forward.output_dense, kept or [], kept is None)
    for name in [name for name in state if name.startswith(root)]:
        if kept is None:
            del state[name]
        elif name.endswith("output_dense.weight"):
            state[name] = state[name][:, kept]
        elif ".intermediate_dense." in name:
            state[name] = state[name][kept]


def _zero_columns(linear: nn.Linear, kept: list[int], gone: bool) -> None:
    with torch.no_grad():
        mask = torch.zeros(linear.in_features)
        mask[kept] = 1.0
        linear.weight *= mask
        if gone:
            linear.bias.zero_()


def _options(family, size, shape, model, heads, ffn):
    convs = model.feature_extractor.conv_layers
    dense = model.encoder.transformer.layers[-1].attention
    options = {
        "extractor_mode": "layer_norm" if size == "large" else "group_norm",
        "extractor_conv_layer_config": [
            (conv.conv.out_channels, conv.kernel_size, conv.stride) for conv in convs
        ],
        "extractor_conv_bias": size == "large",
        "encoder_embed_dim": dense.embed_dim,
        "encoder_pos_conv_kernel": shape.position[0],
        "encoder_pos_conv_groups": shape.position[1],
        "encoder_num_layers": len(heads),
        "encoder_use_attention": [kept is not None for kept in heads],
        "encoder_use_feed_forward": [kept is not None for kept in ffn],
        "encoder_ff_interm_features": [len(kept or ()) for kept in ffn],
        "encoder_dropout": 0.1,
        "encoder_layer_norm_first": size == "large",
        "normalize_waveform": size == "large",
    }
    if family == "wavlm":
        return options | {
            "encoder_total_num_heads": [dense.num_heads] * len(heads),
            "encoder_remaining_heads": [kept or [] for kept in heads],
            "encoder_num_buckets": shape.buckets[0],
            "encoder_max_distance": shape.buckets[1],
        }
    return options | {
        "encoder_num_heads": [len(kept or ()) for kept in heads],
        "encoder_head_dim": dense.head_dim,
    }
