"""Reads fairseq's checkpoints of wav2vec 2.0, HuBERT and data2vec, and WavLM's own.

Neither fairseq nor the code of WavLM is needed. All of them call their tensors by
fairseq's names; they differ in where the options stand:

    WavLM             cfg: one flat dictionary
    fairseq >= 0.11   cfg: a dictionary with the parts ``model`` and ``task``
    older fairseq     args: a Namespace, flat
    fine-tuned        any of these, with the pre-trained model's own under ``w2v_args``
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruneasr.encoder.config import ConvConfig, EncoderConfig, dense_blocks
from pruneasr.encoder.interop.files import file_digests
from pruneasr.encoder.interop.tables import (
    Format,
    Imported,
    build,
    check_options,
    gate_constants,
    strip_prefix,
    weight_norm,
)

FAMILIES = {"wav2vec2": "wav2vec2", "hubert": "hubert", "data2vec_audio": "data2vec"}
# What options that a checkpoint leaves out mean, in fairseq and in WavLM's code.
DEFAULTS: dict[str, Any] = {
    "extractor_mode": "default",
    "conv_feature_layers": "[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512, 2, 2)] * 2",
    "conv_bias": False,
    "encoder_layers": 12,
    "encoder_embed_dim": 768,
    "encoder_ffn_embed_dim": 3072,
    "encoder_attention_heads": 12,
    "layer_norm_first": False,
    "conv_pos": 128,
    "conv_pos_groups": 16,
    "pos_conv_depth": 1,
    "num_buckets": 320,
    "max_distance": 1280,
    "normalize": False,
    "dropout": 0.1,
}
# Choices that this encoder does not have, with the values it does have.
FIXED: dict[str, Any] = {
    "activation_fn": "gelu",
    "layer_type": "transformer",
    "conv_pos_batch_norm": False,
    "quantize_input": False,
}
IGNORED = (
    r"(mask_emb|label_embs_concat|_ema)(\..*)?",
    r"(final_proj|quantizer|project_q|target_glu)\..*",
)
NAMES = {
    "feature_extractor.layers.{}.conv": "feature_extractor.conv_layers.{}.0",
    "feature_extractor.layers.{}.norm": "feature_extractor.conv_layers.{}.2",
    "feature_extractor.layers.{}.norm.norm": "feature_extractor.conv_layers.{}.2.1",
    "feature_projection.norm": "layer_norm",
    "feature_projection.projection": "post_extract_proj",
    "positional_conv.convs.{}": "encoder.pos_conv.{}",
    "norm": "encoder.layer_norm",
    "relative_bias.embedding": "encoder.layers.0.self_attn.relative_attention_bias",
    "blocks.{}.attention.norm": "encoder.layers.{}.self_attn_layer_norm",
    "blocks.{}.attention.branch.q_proj": "encoder.layers.{}.self_attn.q_proj",
    "blocks.{}.attention.branch.k_proj": "encoder.layers.{}.self_attn.k_proj",
    "blocks.{}.attention.branch.v_proj": "encoder.layers.{}.self_attn.v_proj",
    "blocks.{}.attention.branch.out_proj": "encoder.layers.{}.self_attn.out_proj",
    "blocks.{}.attention.branch.relative_gate.linear": (
        "encoder.layers.{}.self_attn.grep_linear"
    ),
    "blocks.{}.attention.branch.relative_gate.constant": (
        "encoder.layers.{}.self_attn.grep_a"
    ),
    "blocks.{}.feed_forward.norm": "encoder.layers.{}.final_layer_norm",
    "blocks.{}.feed_forward.branch.up_proj": "encoder.layers.{}.fc1",
    "blocks.{}.feed_forward.branch.down_proj": "encoder.layers.{}.fc2",
}


def fairseq_format(config: EncoderConfig) -> Format:
    """Return how fairseq stores such an encoder."""
    layouts = [gate_constants(".grep_a")]
    if config.pos_conv_layers > 1:
        # the layers of a stack have no weight norm and are one level deeper
        names = {**NAMES, "positional_conv.convs.{}": "encoder.pos_conv.{}.0"}
        return Format(names, tuple(layouts), IGNORED)
    layouts.append(weight_norm("encoder.pos_conv.0"))
    return Format(NAMES, tuple(layouts), IGNORED)


def import_fairseq(content: Mapping[str, Any], path: Path, source: str) -> Imported:
    """Translate the content of a checkpoint.

    Args:
        content: what the file holds: ``model`` and one of ``cfg`` and ``args``.
        path: the file.
        source: what the user calls it.

    Raises:
        ValueError: if the model is of another kind, or its tensors are not those that
            its options describe.
    """
    config = read_options(flatten_options(content.get("cfg") or content.get("args")))
    if not isinstance(content["model"], Mapping):
        raise ValueError(
            f"{source}: expected tensors by their names in 'model'; found "
            f"{type(content['model']).__name__}"
        )
    inside, outside = strip_prefix(content["model"], "w2v_encoder.w2v_model.")
    provenance = {
        "source": source,
        "format": "wavlm" if config.family == "wavlm" else "fairseq",
        "sha256": file_digests([path]),
    }
    return build(config, fairseq_format(config), inside, provenance, outside)


def flatten_options(options: Any) -> dict[str, Any]:
    """Return the options of the pre-trained model as one dictionary.

    The options of a fine-tuned model count only for ``normalize``.

    Raises:
        ValueError: if they are no options.
    """
    if not isinstance(options, Mapping | argparse.Namespace):
        raise ValueError(
            "checkpoint options: expected a dictionary or a Namespace; found "
            f"{options!r}"
        )
    values = dict(vars(options) if isinstance(options, argparse.Namespace) else options)
    if isinstance(values.get("model"), Mapping | argparse.Namespace):
        task, model = values.get("task") or {}, values["model"]
        values = {**flatten_options(task), **flatten_options(model)}
    if values.get("w2v_args"):
        inner = flatten_options(values["w2v_args"])
        return {**inner, "normalize": values.get("normalize", inner.get("normalize"))}
    return values


def read_options(values: Mapping[str, Any]) -> EncoderConfig:
    """Translate the flat options of a pre-trained model.

    Raises:
        ValueError: if the model is of another kind or computes something else.
    """
    family = _family(values)
    for name, expected in FIXED.items():
        if values.get(name, expected) != expected:
            raise ValueError(
                f"checkpoint options: {name} must be {expected!r}, nothing else is "
                f"supported; found {values[name]!r}"
            )
    values = {name: value for name, value in values.items() if value is not None}
    check_options("checkpoint options", values, DEFAULTS)
    get = {**DEFAULTS, **values}.__getitem__
    if get("extractor_mode") not in ("default", "layer_norm"):
        raise ValueError(
            "checkpoint options: extractor_mode must be default or layer_norm; found "
            f"{get('extractor_mode')!r}"
        )
    depth = get("pos_conv_depth")
    kernel = get("conv_pos")
    return EncoderConfig(
        family=family,
        conv_layers=read_conv_layers(get("conv_feature_layers")),
        dim=get("encoder_embed_dim"),
        num_heads=get("encoder_attention_heads"),
        blocks=dense_blocks(
            get("encoder_embed_dim"),
            get("encoder_attention_heads"),
            get("encoder_ffn_embed_dim"),
            get("encoder_layers"),
        ),
        conv_norm=(
            "group_norm" if get("extractor_mode") == "default" else "layer_norm"
        ),
        conv_bias=get("conv_bias"),
        norm_first=get("layer_norm_first"),
        # data2vec shares one width out over its layers (its encoder, make_conv_block)
        pos_conv_kernel=kernel if depth == 1 else max(3, kernel // depth),
        pos_conv_groups=get("conv_pos_groups"),
        pos_conv_layers=depth,
        relative_buckets=get("num_buckets") if family == "wavlm" else 0,
        relative_max_distance=get("max_distance") if family == "wavlm" else 0,
        normalize_waveform=get("normalize"),
        dropout=get("dropout"),
    )


def read_conv_layers(text: str) -> tuple[ConvConfig, ...]:
    """Parse fairseq's ``[(channels, kernel, stride)] * n + ...`` without evaluating it.

    Raises:
        ValueError: if the text has another form.
    """
    term = r"\s*(\[[^\[\]]*\])\s*(?:\*\s*(\d+)\s*)?"
    if not re.fullmatch(rf"{term}(?:\+{term})*", text):
        raise ValueError(
            "conv_feature_layers: expected a sum of terms [(channels, kernel, stride)] "
            f"* n; found {text!r}"
        )
    layers: list[ConvConfig] = []
    for body, count in re.findall(term, text):
        layers += [ConvConfig(*conv) for conv in ast.literal_eval(body)] * int(
            count or 1
        )
    return tuple(layers)


def _family(values: Mapping[str, Any]) -> str:
    if "relative_position_embedding" in values:  # an option of WavLM alone
        for name in ("relative_position_embedding", "gru_rel_pos"):
            if not values.get(name):
                raise ValueError(
                    f"checkpoint options: WavLM needs {name}: true, as in all "
                    f"published models; found {values.get(name)!r}"
                )
        return "wavlm"
    kind = values.get("_name") or values.get("arch")
    if kind not in FAMILIES:
        raise ValueError(
            f"checkpoint options: expected WavLM or one of {sorted(FAMILIES)} as the "
            f"model's name; found {kind!r}"
        )
    return FAMILIES[kind]
