"""Reads the checkpoint directories of Hugging Face transformers.

A directory has ``config.json`` and either ``*.safetensors`` or ``pytorch_model*.bin``.
Both are read here without transformers. Base and Large of WavLM, HuBERT, wav2vec 2.0
and data2vec-audio, pre-trained or with a task head, whose weights are named as not
converted.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruneasr import SAMPLE_RATE
from pruneasr.encoder.checkpoint import read_safetensors
from pruneasr.encoder.config import ConvConfig, EncoderConfig, dense_blocks
from pruneasr.encoder.interop.files import file_digests, read_pickle
from pruneasr.encoder.interop.tables import (
    Format,
    Imported,
    build,
    check_options,
    gate_constants,
    strip_prefix,
    transformer_names,
    weight_norm,
)

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
    config = read_config(_read_json(path / "config.json"), read_preprocessor(path))
    files = weight_files(path)
    tensors: dict[str, Any] = {}
    for file in files:
        read = read_safetensors if file.suffix == ".safetensors" else read_pickle
        part = read(file)
        if twice := sorted(tensors.keys() & part.keys()):
            raise ValueError(f"{file}: {twice} are in another file of {path} too")
        tensors.update(part)
    inside, outside = strip_prefix(tensors, FAMILIES[config.family][1] + ".")
    provenance = {
        "source": source,
        "format": "huggingface",
        "sha256": file_digests(files),
    }
    return build(config, huggingface_format(config), inside, provenance, outside)


def weight_files(directory: Path) -> list[Path]:
    """Return the weight files of a directory, all shards, safetensors preferred."""
    names = sorted(path.name for path in directory.iterdir())
    for stem, suffix in (("model", "safetensors"), ("pytorch_model", "bin")):
        whole = f"{stem}.{suffix}"
        if whole in names:
            return [directory / whole]
        shard = re.compile(rf"{stem}-\d+-of-\d+\.{suffix}")
        if shards := [name for name in names if shard.fullmatch(name)]:
            return [directory / name for name in shards]
    raise ValueError(
        f"{directory}: expected model.safetensors or pytorch_model.bin, or their "
        f"shards; found {names}"
    )


def read_preprocessor(directory: Path) -> dict[str, Any]:
    """Return the options of the feature extractor, empty if none were saved.

    They stand in a file of their own or, of processors saved by transformers 5, in that
    of the processor.

    Raises:
        ValueError: if they are for another sampling rate, or say neither yes nor no to
            normalisation.
    """
    values = _read_json(directory / "preprocessor_config.json")
    if not values:
        processor = _read_json(directory / "processor_config.json")
        values = processor.get("feature_extractor", {})
    rate = values.get("sampling_rate", SAMPLE_RATE)
    normalize = values.get("do_normalize", False)
    if rate != SAMPLE_RATE or not isinstance(normalize, bool):
        raise ValueError(
            f"{directory}: expected a feature extractor with sampling_rate "
            f"{SAMPLE_RATE} and do_normalize true or false; found {rate!r} and "
            f"{normalize!r}"
        )
    return values


def read_config(
    values: Mapping[str, Any], preprocessor: Mapping[str, Any]
) -> EncoderConfig:
    """Translate ``config.json``.

    One dropout rate is kept, that of the hidden states. The waveform is normalised
    where the preprocessor's file says so; without the file, in models with LayerNorm in
    the feature extractor, as they were all trained.

    Args:
        values: its content; what is left out has transformers' default.
        preprocessor: of :func:`read_preprocessor`.

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
    values = {name: value for name, value in values.items() if value is not None}
    check_options("config.json", values, DEFAULTS)
    get = {**DEFAULTS, **values}.__getitem__
    data2vec = family == "data2vec"
    if get("feat_extract_norm") not in ("group", "layer"):
        raise ValueError(
            "config.json: feat_extract_norm must be group or layer; found "
            f"{get('feat_extract_norm')!r}"
        )
    if data2vec and values.get("num_conv_pos_embeddings", 5) < 2:
        raise ValueError(
            "config.json: data2vec needs num_conv_pos_embeddings of at least 2, for "
            f"one has no norm here; found {values['num_conv_pos_embeddings']}"
        )
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


def _read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file; an absent one is empty."""
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
