"""Reads the models of torchaudio: a bundle by its name, or a module in memory.

torchaudio does the downloading and the loading; this file reads the architecture off
the module and translates its tensors.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from pruneasr.encoder.config import ConvConfig, EncoderConfig, dense_blocks
from pruneasr.encoder.interop.files import tensor_digest
from pruneasr.encoder.interop.tables import (
    Format,
    Imported,
    Layout,
    Tensors,
    build,
    gate_constants,
    transformer_names,
    weight_norm,
)

# First part of a bundle's name. WAV2VEC2_XLSR53, VOXPOPULI_ASR_BASE_10K_EN and MMS_FA
# are all wav2vec 2.0.
FAMILIES = {
    "WAVLM": "wavlm",
    "HUBERT": "hubert",
    "WAV2VEC2": "wav2vec2",
    "VOXPOPULI": "wav2vec2",
    "MMS": "wav2vec2",
}


def is_bundle_name(source: str) -> bool:
    """Whether a source is written like a bundle of a known family."""
    return (
        re.fullmatch(r"[A-Z0-9_]+", source) is not None and _first(source) in FAMILIES
    )


def import_bundle(name: str) -> Imported:
    """Download a bundle through torchaudio and read it.

    Args:
        name: such as ``WAVLM_BASE`` or ``WAV2VEC2_ASR_LARGE_960H``.

    Raises:
        ValueError: if torchaudio has no such bundle.
    """
    from torchaudio import pipelines

    if name not in pipelines.__all__:
        known = [item for item in pipelines.__all__ if is_bundle_name(item)]
        raise ValueError(f"expected a bundle of {known}; found {name}")
    model = getattr(pipelines, name).get_model()
    return import_torchaudio(model, FAMILIES[_first(name)], name)


def import_torchaudio(model: Any, family: str, source: str) -> Imported:
    """Translate a torchaudio ``Wav2Vec2Model``, bare or as a bundle returns it.

    Args:
        model: the module.
        family: ``wavlm``, ``hubert`` or ``wav2vec2``; the last two are one class there.
        source: what the user calls it.

    Raises:
        ValueError: if its tensors are not those of the family.
    """
    # bundles of models trained on normalised waveforms wrap the module
    normalize = bool(getattr(model, "normalize_waveform", False))
    inner = getattr(model, "model", model)
    config = read_module(inner, family, normalize)
    tensors = inner.state_dict()
    provenance = {
        "source": source,
        "format": "torchaudio",
        "sha256": {"state_dict": tensor_digest(tensors)},
    }
    return build(config, torchaudio_format(config), tensors, provenance)


def torchaudio_format(config: EncoderConfig) -> Format:
    """Return how torchaudio stores such an encoder."""
    names = transformer_names("encoder.feature_projection", "encoder.transformer")
    layouts = [
        weight_norm(names["positional_conv.convs.{}"]),
        gate_constants(".gru_rel_pos_const"),
    ]
    if config.family == "wavlm":
        # its attention is torch's own, one level deeper and with packed projections
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            ours = f"blocks.{{}}.attention.branch.{name}"
            names[ours] = f"encoder.transformer.layers.{{}}.attention.attention.{name}"
        layouts.append(packed_projections(len(config.blocks)))
    return Format(names, tuple(layouts), (r"aux\..*",))


def packed_projections(num_blocks: int) -> Layout:
    """Layout of torch's ``MultiheadAttention``: query, key and value in one tensor."""
    groups = []
    for i in range(num_blocks):
        root = f"encoder.transformer.layers.{i}.attention.attention"
        for leaf in ("weight", "bias"):
            parts = [f"{root}.{name}_proj.{leaf}" for name in "qkv"]
            groups.append((f"{root}.in_proj_{leaf}", parts))

    def split(tensors: Tensors) -> Tensors:
        for packed, parts in groups:
            if packed in tensors:
                tensors.update(zip(parts, tensors.pop(packed).chunk(3), strict=True))
        return tensors

    def pack(tensors: Tensors) -> Tensors:
        for packed, parts in groups:
            tensors[packed] = torch.cat([tensors.pop(part) for part in parts])
        return tensors

    return Layout(split, pack)


def read_module(model: Any, family: str, normalize: bool) -> EncoderConfig:
    """Read the architecture off a module."""
    convs = model.feature_extractor.conv_layers
    transformer = model.encoder.transformer
    position = transformer.pos_conv_embed.conv
    layers = transformer.layers
    attention = layers[0].attention
    embedding: Tensor | None = None
    if family == "wavlm":
        embedding = attention.rel_attn_embed.weight
    return EncoderConfig(
        family=family,
        conv_layers=tuple(
            ConvConfig(layer.conv.out_channels, layer.kernel_size, layer.stride)
            for layer in convs
        ),
        dim=attention.embed_dim,
        num_heads=attention.num_heads,
        blocks=dense_blocks(
            attention.embed_dim,
            attention.num_heads,
            layers[0].feed_forward.intermediate_dense.out_features,
            len(layers),
        ),
        conv_norm=(
            "group_norm"
            if isinstance(convs[0].layer_norm, nn.GroupNorm)
            else "layer_norm"
        ),
        conv_bias=convs[0].conv.bias is not None,
        norm_first=layers[0].layer_norm_first,
        pos_conv_kernel=position.kernel_size[0],
        pos_conv_groups=position.groups,
        relative_buckets=0 if embedding is None else embedding.size(0),
        relative_max_distance=0 if embedding is None else attention.max_distance,
        normalize_waveform=normalize,
        dropout=transformer.dropout.p,
    )


def _first(name: str) -> str:
    return name.partition("_")[0]
