"""Writes a checkpoint directory of Hugging Face transformers.

Dense encoders only: transformers cannot hold unequal widths.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from pruneasr import SAMPLE_RATE
from pruneasr.encoder.config import EncoderConfig, dense_blocks
from pruneasr.encoder.interop.huggingface import FAMILIES, FIXED, huggingface_format
from pruneasr.encoder.model import Encoder


def export_huggingface(encoder: Encoder, directory: str | os.PathLike[str]) -> None:
    """Write a directory that ``AutoModel.from_pretrained`` loads, nothing left over.

    Raises:
        ValueError: if transformers cannot hold the encoder; nothing is written then.
    """
    values = write_config(encoder.config)
    path = Path(directory)
    path.mkdir(parents=True, exist_ok=True)
    theirs = huggingface_format(encoder.config).to_theirs(encoder.state_dict())
    save_file(
        {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in theirs.items()
        },
        path / "model.safetensors",
        metadata={"format": "pt"},
    )
    preprocessor = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": SAMPLE_RATE,
        "padding_value": 0.0,
        "do_normalize": encoder.config.normalize_waveform,
        "return_attention_mask": encoder.config.conv_norm == "layer_norm",
    }
    _write_json(path / "preprocessor_config.json", preprocessor)
    _write_json(path / "config.json", values)


def write_config(config: EncoderConfig) -> dict[str, Any]:
    """Return the ``config.json`` of a dense encoder.

    Raises:
        ValueError: if the encoder is pruned or has parts that transformers lacks.
    """
    ffn = config.blocks[0].ffn if config.blocks else 0
    dense = dense_blocks(config.dim, config.num_heads, ffn, len(config.blocks))
    data2vec = config.family == "data2vec"
    held = (
        config.blocks == dense
        and ffn > 0
        and not config.channel_scale
        and (config.relative_buckets > 0) == (config.family == "wavlm")
        # data2vec normalises its layers there, be it one, and here several only
        and (config.pos_conv_layers > 1) == data2vec
        and not (data2vec and (config.norm_first or config.conv_norm == "group_norm"))
    )
    if not held:
        raise ValueError(
            "transformers holds dense encoders of the published shapes only: all heads "
            "and feed-forward layers whole and of one width, no channel scale; this "
            "encoder is another. Keep it as a pruneasr directory"
        )
    model_type, _, architecture = FAMILIES[config.family]
    values = {
        "architectures": [architecture],
        "model_type": model_type,
        "hidden_size": config.dim,
        "num_hidden_layers": len(config.blocks),
        "num_attention_heads": config.num_heads,
        "intermediate_size": ffn,
        "hidden_dropout": config.dropout,
        "attention_dropout": config.dropout,
        "activation_dropout": config.dropout,
        "feat_proj_dropout": config.dropout,
        "layerdrop": 0.0,
        "mask_time_prob": 0.0,  # no mask embedding: it is not part of the encoder
        "num_feat_extract_layers": len(config.conv_layers),
        "conv_dim": [conv.channels for conv in config.conv_layers],
        "conv_kernel": [conv.kernel for conv in config.conv_layers],
        "conv_stride": [conv.stride for conv in config.conv_layers],
        "conv_bias": config.conv_bias,
        "feat_extract_norm": config.conv_norm.removesuffix("_norm"),
        "num_conv_pos_embedding_groups": config.pos_conv_groups,
        "hidden_act": FIXED["hidden_act"],
        "feat_extract_activation": FIXED["feat_extract_activation"],
        "layer_norm_eps": FIXED["layer_norm_eps"],
    }
    if data2vec:
        values["conv_pos_kernel_size"] = config.pos_conv_kernel
        values["num_conv_pos_embeddings"] = config.pos_conv_layers
    else:
        values["num_conv_pos_embeddings"] = config.pos_conv_kernel
        values["do_stable_layer_norm"] = config.norm_first
    if config.family == "wavlm":
        values["num_buckets"] = config.relative_buckets
        values["max_bucket_distance"] = config.relative_max_distance
    return values


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
