"""Reads and writes the checkpoint directories of Hugging Face transformers.

A directory has ``config.json`` and either ``*.safetensors`` or ``pytorch_model*.bin``.
Both are read here without transformers. Base and Large of WavLM, HuBERT, wav2vec 2.0
and data2vec-audio, pre-trained or with a task head, whose weights are named as not
converted. Writing takes dense encoders only: transformers cannot hold unequal widths.
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
from pruneasr.encoder.checkpoint import read_safetensors
from pruneasr.encoder.config import ConvConfig, EncoderConfig, dense_blocks
from pruneasr.encoder.interop.files import file_digests, read_pickle
from pruneasr.encoder.interop.tables import (
    Format,
    Imported,
    build,
    gate_constants,
    strip_prefix,
    transformer_names,
    weight_norm,
)
from pruneasr.encoder.model import Encoder

# model_type, name of the encoder inside a fine-tuned model, class
FAMILIES = {
    "wavlm": ("wavlm", "wavlm", "WavLMModel"),
    "hubert": ("hubert", "hubert", "HubertModel"),
    "wav2vec2": ("wav2vec2", "wav2vec2", "Wav2Vec2Model"),
    "data2vec": ("data2vec-audio", "data2vec_audio", "Data2VecAudioModel"),
}
# What a config.json that leaves a value out means; equal in all four families.
DEFAULTS: dict[str, Any] = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_dropout": 0.1,
    "conv_dim": [512] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_bias": False,
    "feat_extract_norm": "group",
    "do_stable_layer_norm": False,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "num_buckets": 320,
    "max_bucket_distance": 800,
    "conv_pos_kernel_size": 19,
}
# Choices of transformers that this encoder does not have, with the values it does have.
FIXED: dict[str, Any] = {
    "hidden_act": "gelu",
    "feat_extract_activation": "gelu",
    "layer_norm_eps": 1e-5,
    "conv_pos_batch_norm": False,
    "feat_proj_layer_norm": True,
    "adapter_attn_dim": None,
}


def huggingface_format(config: EncoderConfig) -> Format:
    """Return how transformers stores such an encoder."""
    names = transformer_names("feature_projection", "encoder")
    layouts = [gate_constants(".gru_rel_pos_const")]
    if config.family == "data2vec":
        names["positional_conv.convs.{}"] = "encoder.pos_conv_embed.layers.{}.conv"
    else:
        layouts.append(weight_norm(names["positional_conv.convs.{}"]))
    return Format(names, tuple(layouts), ("masked_spec_embed", r"adapter\..*"))


def import_huggingface(directory: str | os.PathLike[str], source: str) -> Imported:
    """Read a checkpoint directory.

    Args:
        directory: where the files are.
        source: what the user calls it.

    Raises:
        ValueError: if a file is missing or damaged, the model is of another kind, or
            its tensors are not those that its config describes.
    """
    path = Path(directory)
    values = _read_json(path / "config.json")
    config = read_config(values, _read_json(path / "preprocessor_config.json"))
    files = weight_files(path)
    tensors: dict[str, Any] = {}
    for file in files:
        read = read_safetensors if file.suffix == ".safetensors" else read_pickle
        tensors.update(read(file))
    inside, outside = strip_prefix(tensors, FAMILIES[config.family][1] + ".")
    provenance = {
        "source": source,
        "format": "huggingface",
        "sha256": file_digests(files),
    }
    return build(config, huggingface_format(config), inside, provenance, outside)


def weight_files(directory: Path) -> list[Path]:
    """Return the weight files of a directory, all shards, safetensors preferred."""
    for pattern in ("model*.safetensors", "pytorch_model*.bin"):
        files = sorted(directory.glob(pattern))
        if files:
            return files
    raise ValueError(
        f"{directory}: expected model*.safetensors or pytorch_model*.bin; found "
        f"{sorted(path.name for path in directory.iterdir())}"
    )


def read_config(
    values: Mapping[str, Any], preprocessor: Mapping[str, Any]
) -> EncoderConfig:
    """Translate ``config.json``.

    One dropout rate is kept, that of the hidden states. The waveform is normalised
    where the preprocessor's file says so; without the file, in models with LayerNorm in
    the feature extractor, as they were all trained.

    Args:
        values: its content; what is left out has transformers' default.
        preprocessor: content of ``preprocessor_config.json``, empty if there is none.

    Raises:
        ValueError: if the model is of another kind or computes something else.
    """
    families = {model_type: family for family, (model_type, *_) in FAMILIES.items()}
    if values.get("model_type") not in families:
        raise ValueError(
            f"config.json: expected a model_type of {sorted(families)}; found "
            f"{values.get('model_type')!r}"
        )
    for name, expected in FIXED.items():
        if values.get(name, expected) != expected:
            raise ValueError(
                f"config.json: {name} must be {expected!r}, nothing else is supported; "
                f"found {values[name]!r}"
            )
    family = families[values["model_type"]]
    get = {**DEFAULTS, **values}.__getitem__
    data2vec = family == "data2vec"
    layer_norm = data2vec or get("feat_extract_norm") == "layer"
    conv = zip(get("conv_dim"), get("conv_kernel"), get("conv_stride"), strict=True)
    return EncoderConfig(
        family=family,
        conv_layers=tuple(ConvConfig(*layer) for layer in conv),
        dim=get("hidden_size"),
        num_heads=get("num_attention_heads"),
        blocks=dense_blocks(
            get("hidden_size"),
            get("num_attention_heads"),
            get("intermediate_size"),
            get("num_hidden_layers"),
        ),
        conv_norm="layer_norm" if layer_norm else "group_norm",
        conv_bias=get("conv_bias"),
        norm_first=not data2vec and get("do_stable_layer_norm"),
        pos_conv_kernel=get(
            "conv_pos_kernel_size" if data2vec else "num_conv_pos_embeddings"
        ),
        pos_conv_groups=get("num_conv_pos_embedding_groups"),
        pos_conv_layers=values.get("num_conv_pos_embeddings", 5) if data2vec else 1,
        relative_buckets=get("num_buckets") if family == "wavlm" else 0,
        relative_max_distance=get("max_bucket_distance") if family == "wavlm" else 0,
        normalize_waveform=preprocessor.get("do_normalize", layer_norm),
        dropout=get("hidden_dropout"),
    )


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
        and (data2vec or config.pos_conv_layers == 1)
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


def _read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file; an absent one is empty."""
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
