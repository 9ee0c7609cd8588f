"""Reads the pruned checkpoints of DPHuBERT and DPWavLM (Peng et al. 2023).

A file holds ``state_dict`` and ``config``, the options of a model that is torchaudio's
with whole heads, feed-forward dimensions, convolution channels, or branches removed.
The ports of it in other projects keep the format.

What such a model computes is kept to the letter, also where it departs from what was
trained: a WavLM whose first attention was removed has lost the position bias, which was
stored there, and so has its import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pruneasr.encoder.config import (
    BlockConfig,
    ConvConfig,
    EncoderConfig,
    HeadConfig,
)
from pruneasr.encoder.interop.files import file_digests
from pruneasr.encoder.interop.tables import (
    Format,
    Imported,
    Layout,
    Tensors,
    build,
    transformer_names,
    weight_norm,
)

DEFAULT_CONV = [(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512, 2, 2)] * 2


def import_dphubert(content: Mapping[str, Any], path: Path, source: str) -> Imported:
    """Translate the content of a checkpoint.

    Args:
        content: what the file holds: ``state_dict`` and ``config``.
        path: the file.
        source: what the user calls it.

    Raises:
        ValueError: if an option is missing, or the tensors are not those that the
            options describe.
    """
    config = read_options(content["config"])
    provenance = {
        "source": source,
        "format": "dphubert",
        "sha256": file_digests([path]),
    }
    outside = [name for name in content if name not in ("state_dict", "config")]
    form = dphubert_format(config)
    return build(config, form, content["state_dict"], provenance, outside)


def dphubert_format(config: EncoderConfig) -> Format:
    """Return how DPHuBERT stores such an encoder."""
    root = "encoder.transformer"
    names = transformer_names("encoder.feature_projection", root)
    # it multiplies the last convolution's output, as the channel scale does
    names["feature_extractor.channel_scale"] = "feature_extractor.dummy_weight"
    layouts = (
        weight_norm(names["positional_conv.convs.{}"]),
        living_gate_constants(config),
    )
    ignored = [r"aux\..*"]
    for i, block in enumerate(config.blocks):
        layer = re.escape(f"{root}.layers.{i}.")
        if config.norm_first and not block.attention:
            ignored.append(layer + r"layer_norm\..*")
        if config.norm_first and not block.feed_forward:
            ignored.append(layer + r"final_layer_norm\..*")
        if not config.relative_buckets:  # gates of a position bias that was lost
            ignored.append(layer + r"attention\.gru_rel_pos_.*")
    return Format(names, layouts, tuple(ignored))


def living_gate_constants(config: EncoderConfig) -> Layout:
    """Layout of the gate constants: those of all dense heads, of which some live on.

    The inverse gives the heads that are gone the initial value, 1.
    """
    living = {
        f"encoder.transformer.layers.{i}.attention.gru_rel_pos_const": torch.tensor(
            [head.index for head in block.heads]
        )
        for i, block in enumerate(config.blocks)
        if block.heads and config.relative_buckets
    }

    def select(tensors: Tensors) -> Tensors:
        for name, index in living.items():
            if name in tensors:
                if tensors[name].shape != (1, config.num_heads, 1, 1):
                    raise ValueError(
                        f"{name}: expected the shape (1, {config.num_heads}, 1, 1), of "
                        f"all dense heads; found {tuple(tensors[name].shape)}"
                    )
                tensors[name] = tensors[name].flatten()[index]
        return tensors

    def spread(tensors: Tensors) -> Tensors:
        for name, index in living.items():
            full = torch.ones(config.num_heads)
            full[index] = tensors[name]
            tensors[name] = full.view(1, -1, 1, 1)
        return tensors

    return Layout(select, spread)


def read_options(values: Mapping[str, Any]) -> EncoderConfig:
    """Translate the options of a checkpoint.

    HuBERT and wav2vec 2.0 are one class there; the family is given as HuBERT. Which
    heads of those were removed is not recorded and makes no difference.

    Raises:
        ValueError: if an option is missing or of another form.
    """
    try:
        wavlm = "encoder_remaining_heads" in values
        blocks = _wavlm_blocks(values) if wavlm else _hubert_blocks(values)
        biased = wavlm and blocks[0].attention
        dim = values["encoder_embed_dim"]
        num_heads = (
            values["encoder_total_num_heads"][0]
            if wavlm
            else dim // values["encoder_head_dim"]
        )
        conv_layers = values["extractor_conv_layer_config"] or DEFAULT_CONV
        return EncoderConfig(
            family="wavlm" if wavlm else "hubert",
            conv_layers=tuple(ConvConfig(*layer) for layer in conv_layers),
            dim=dim,
            num_heads=num_heads,
            blocks=blocks,
            conv_norm=values["extractor_mode"],
            conv_bias=values["extractor_conv_bias"],
            channel_scale=True,
            norm_first=values["encoder_layer_norm_first"],
            pos_conv_kernel=values["encoder_pos_conv_kernel"],
            pos_conv_groups=values["encoder_pos_conv_groups"],
            relative_buckets=values["encoder_num_buckets"] if biased else 0,
            relative_max_distance=values["encoder_max_distance"] if biased else 0,
            normalize_waveform=values["normalize_waveform"],
            dropout=values["encoder_dropout"],
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"config of a DPHuBERT checkpoint: {error!r}; found {values!r}"
        ) from None


def _wavlm_blocks(values: Mapping[str, Any]) -> tuple[BlockConfig, ...]:
    width = values["encoder_embed_dim"] // values["encoder_total_num_heads"][0]
    return _blocks(values, values["encoder_remaining_heads"], width)


def _hubert_blocks(values: Mapping[str, Any]) -> tuple[BlockConfig, ...]:
    heads = [list(range(number)) for number in values["encoder_num_heads"]]
    return _blocks(values, heads, values["encoder_head_dim"])


def _blocks(
    values: Mapping[str, Any], heads: list[list[int]], width: int
) -> tuple[BlockConfig, ...]:
    """Return the blocks; a width given for a branch that is gone is not used."""
    blocks = []
    for i in range(values["encoder_num_layers"]):
        attention = bool(values["encoder_use_attention"][i])
        feed_forward = bool(values["encoder_use_feed_forward"][i])
        blocks.append(
            BlockConfig(
                attention=attention,
                heads=tuple(
                    HeadConfig(index, width, width)
                    for index in (heads[i] if attention else [])
                ),
                feed_forward=feed_forward,
                ffn=values["encoder_ff_interm_features"][i] if feed_forward else 0,
            )
        )
    return tuple(blocks)
