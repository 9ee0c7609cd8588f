"""The architecture as data."""

import dataclasses
import json

import pytest
import torch
from reference_models import CLASSES
from tiny import random_config, tiny_config
from transformers import AutoModel

from pruneasr.encoder import (
    BlockConfig,
    Encoder,
    EncoderConfig,
    HeadConfig,
    dense_config,
)
from pruneasr.encoder.interop.huggingface import read_config
from pruneasr.encoder.interop.huggingface_export import write_config

PUBLISHED_LARGE = {
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}


@pytest.mark.parametrize("seed", range(10))
def test_round_trip_through_json(seed):
    config = random_config(torch.Generator().manual_seed(seed))
    assert EncoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("family", CLASSES)
@pytest.mark.parametrize("values", [{}, PUBLISHED_LARGE], ids=["base", "large"])
def test_published_sizes(family, values):
    """As many parameters as transformers, mask embedding and weight norm aside."""
    theirs_config = CLASSES[family](**values)
    with torch.device("meta"):
        theirs = AutoModel.from_config(theirs_config)
        ours = Encoder(read_config(theirs_config.to_dict(), {}))
    expected = sum(
        parameter.numel()
        for name, parameter in theirs.named_parameters()
        if name != "masked_spec_embed" and not name.endswith("weight.original0")
    )
    assert sum(parameter.numel() for parameter in ours.parameters()) == expected


def test_default_is_wavlm_base():
    base = write_config(dense_config())
    published = CLASSES["wavlm"]().to_dict()
    for name in base.keys() - {"architectures", "mask_time_prob"}:
        if "drop" not in name:
            expected = published[name]
            assert base[name] == (
                list(expected) if isinstance(expected, tuple) else expected
            )


def test_frames():
    config = dense_config()
    assert config.hop == 320
    assert config.receptive_field == 400
    assert config.head_dim == 64


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), "family"),
        ((), "conv_layers"),
        ((), "blocks"),
        (("conv_layers",), "kernel"),
        (("blocks",), "heads"),
        (("blocks",), "ffn"),
        (("blocks", "heads"), "qk"),
    ],
)
def test_unknown_and_missing_keys(path, name):
    def change(function):
        values = level = json.loads(json.dumps(tiny_config().to_dict()))
        for step in path:
            level = level[step][0]
        function(level)
        return values

    with pytest.raises(ValueError, match=rf"missing: \['{name}'\]"):
        EncoderConfig.from_dict(change(lambda level: level.pop(name)))
    with pytest.raises(ValueError, match=r"unknown: \['width'\]"):
        EncoderConfig.from_dict(change(lambda level: level.update(width=1)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dim", "32"),
        ("num_heads", 4.0),
        ("conv_bias", 1),
        ("dropout", None),
        ("relative_buckets", None),
        ("blocks", None),
        ("blocks", [1]),
        ("conv_layers", 5),
    ],
)
def test_values_of_another_type_are_refused(name, value):
    values = {**tiny_config().to_dict(), name: value}
    with pytest.raises(ValueError, match=f"{name} must be (of type|a list of objects)"):
        EncoderConfig.from_dict(values)


def test_dense_config_refuses_unknown_options():
    with pytest.raises(ValueError, match=r"unknown: \['dims'\]"):
        dense_config(dims=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "bert"}, "family"),
        ({"conv_norm": "batch_norm"}, "conv_norm"),
        ({"num_heads": 5}, "num_heads"),
        ({"num_heads": 0}, "num_heads"),
        ({"pos_conv_groups": 5}, "pos_conv_groups"),
        ({"pos_conv_groups": 0}, "pos_conv_groups"),
        ({"relative_buckets": 3}, "relative_buckets"),
        ({"relative_buckets": 320, "relative_max_distance": 80}, "relative_buckets"),
        ({"conv_channels": (16,) * 6}, "conv_channels"),
        ({"conv_channels": (16,) * 6 + (0,)}, "conv_layers"),
        ({"pos_conv_kernel": 0}, "pos_conv_kernel and pos_conv_layers must be above 0"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1"),
    ],
)
def test_bad_values(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny_config(**changes)


@pytest.mark.parametrize(
    "head", [HeadConfig(4, 8, 8), HeadConfig(0, 9, 8), HeadConfig(0, 8, 9)]
)
def test_heads_beyond_the_dense_ones(head):
    config = tiny_config()
    block = dataclasses.replace(config.blocks[0], heads=(head,))
    with pytest.raises(ValueError, match="head"):
        dataclasses.replace(config, blocks=(block,))


@pytest.mark.parametrize(
    "values",
    [
        (True, (HeadConfig(1, 8, 8), HeadConfig(0, 8, 8)), True, 4),
        (True, (HeadConfig(1, 8, 8), HeadConfig(1, 8, 8)), True, 4),
        (False, (HeadConfig(0, 8, 8),), True, 4),
        (True, (HeadConfig(0, 8, 0),), True, 4),
        (True, (HeadConfig(0, -1, 8),), True, 4),
        (True, (), False, 4),
        (True, (), True, -1),
    ],
)
def test_impossible_blocks(values):
    with pytest.raises(ValueError, match=r"head|ffn"):
        BlockConfig(*values)
