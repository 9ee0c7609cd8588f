"""Checkpoints of fairseq and of WavLM's own code."""

import argparse
import re
import sys
import types

import pytest
import torch
from reference_models import (
    TINY,
    difference,
    fairseq_checkpoint,
    huggingface,
    torchaudio,
    torchaudio_module,
)
from tiny import random_encoder, tiny_config
from torchaudio.models.wav2vec2.utils.import_fairseq import _convert_state_dict

from pruneasr.encoder import ConvConfig
from pruneasr.encoder.interop import import_encoder
from pruneasr.encoder.interop.fairseq import fairseq_format, read_conv_layers
from pruneasr.encoder.interop.torchaudio import import_torchaudio

# Names in WavLM-Base.pt and in audio_base_ls.pt (data2vec), first block and what is
# around the blocks; two leaves each unless given.
FRONT = [
    "feature_extractor.conv_layers.0.2.bias",
    "feature_extractor.conv_layers.0.2.weight",
    *(f"feature_extractor.conv_layers.{i}.0.weight" for i in range(7)),
]
LAYER_NORM_FRONT = [
    *(f"feature_extractor.conv_layers.{i}.0.weight" for i in range(7)),
    *(f"feature_extractor.conv_layers.{i}.2.1.weight" for i in range(7)),
    *(f"feature_extractor.conv_layers.{i}.2.1.bias" for i in range(7)),
]
BODY = [
    f"{module}.{leaf}"
    for module in (
        "layer_norm",
        "post_extract_proj",
        "encoder.layer_norm",
        *(f"encoder.layers.0.self_attn.{x}_proj" for x in ("q", "k", "v", "out")),
        "encoder.layers.0.self_attn_layer_norm",
        "encoder.layers.0.fc1",
        "encoder.layers.0.fc2",
        "encoder.layers.0.final_layer_norm",
    )
    for leaf in ("weight", "bias")
]
WAVLM = [
    "encoder.pos_conv.0.bias",
    "encoder.pos_conv.0.weight_g",
    "encoder.pos_conv.0.weight_v",
    "encoder.layers.0.self_attn.grep_a",
    "encoder.layers.0.self_attn.grep_linear.bias",
    "encoder.layers.0.self_attn.grep_linear.weight",
    "encoder.layers.0.self_attn.relative_attention_bias.weight",
]
DATA2VEC = [
    f"encoder.pos_conv.{i}.0.{leaf}" for i in range(5) for leaf in ("weight", "bias")
]


@pytest.fixture
def hubert():
    """A tiny HuBERT and its checkpoint."""
    encoder = random_encoder(tiny_config(family="hubert"))
    return encoder, fairseq_checkpoint(encoder)


def read(checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / "checkpoint.pt")
    return import_encoder(str(tmp_path / "checkpoint.pt"))


def assert_same(imported, encoder):
    assert imported.encoder.config.blocks == encoder.config.blocks
    for name, tensor in encoder.state_dict().items():
        ours = imported.encoder.state_dict()[name]
        torch.testing.assert_close(ours, tensor, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"family": "wavlm"}, FRONT + BODY + WAVLM),
        (
            {
                "family": "data2vec",
                "conv_norm": "layer_norm",
                "pos_conv_layers": 5,
            },
            LAYER_NORM_FRONT + BODY + DATA2VEC,
        ),
    ],
)
def test_names_are_the_published_ones(options, names):
    encoder = random_encoder(tiny_config(num_blocks=1, **options))
    theirs = fairseq_format(encoder.config).to_theirs(encoder.state_dict())
    assert sorted(theirs) == sorted(names)


# What the authors of transformers renamed, in this order; the rest is called alike
RENAMED = {
    r"masked_spec_embed": "mask_emb",
    r"(conv_layers\.\d+)\.conv\.": r"\1.0.",
    r"^encoder\.pos_conv_embed\.layers\.(\d+)\.conv": r"encoder.pos_conv.\1.0",
    r"^encoder\.pos_conv_embed\.conv": "encoder.pos_conv.0",
    r"parametrizations\.weight\.original0": "weight_g",
    r"parametrizations\.weight\.original1": "weight_v",
    r"^feature_projection\.layer_norm": "layer_norm",
    r"^feature_projection\.projection": "post_extract_proj",
    r"(layers\.\d+)\.layer_norm": r"\1.self_attn_layer_norm",
    r"feed_forward\.intermediate_dense": "fc1",
    r"feed_forward\.output_dense": "fc2",
    r"attention\.gru_rel_pos_linear": "self_attn.grep_linear",
    r"attention\.gru_rel_pos_const": "self_attn.grep_a",
    r"attention\.rel_attn_embed": "self_attn.relative_attention_bias",
    r"\.attention\.": ".self_attn.",
}


@pytest.mark.parametrize(
    ("family", "size"),
    [("wavlm", "base"), ("wavlm", "large"), ("data2vec", "base")],
)
def test_names_are_those_that_transformers_renamed(family, size, tmp_path):
    """WavLM.pt and data2vec's, written without our own table of names."""
    reference = huggingface(family, size)
    reference.module.save_pretrained(tmp_path)
    checkpoint = fairseq_checkpoint(import_encoder(str(tmp_path)).encoder)
    layer_norm = "2.1." if (family, size) != ("wavlm", "base") else "2."
    theirs = {}
    for name, tensor in reference.module.state_dict().items():
        called = re.sub(r"(conv_layers\.\d+)\.layer_norm\.", rf"\1.{layer_norm}", name)
        for pattern, renamed in RENAMED.items():
            called = re.sub(pattern, renamed, called)
        theirs[called] = tensor
    imported = read({**checkpoint, "model": theirs}, tmp_path)
    for padded in (False, True):
        assert difference(imported.encoder, reference, padded) <= 1e-5


@pytest.mark.parametrize("family", ["hubert", "wav2vec2"])
@pytest.mark.parametrize("size", ["base", "large"])
def test_names_are_those_torchaudio_reads(family, size):
    """The importer of torchaudio, fed with our names, rebuilds its own model."""
    reference = torchaudio(family, size)
    encoder = import_torchaudio(reference.module, family, "memory").encoder
    theirs = fairseq_format(encoder.config).to_theirs(encoder.state_dict())
    rebuilt = torchaudio_module(family, size)
    with torch.no_grad():
        for parameter in rebuilt.parameters():
            parameter.zero_()
    missing, unexpected = rebuilt.load_state_dict(
        _convert_state_dict(theirs), strict=False
    )
    assert set(missing) == {"aux.weight", "aux.bias"}
    assert not unexpected
    again = import_torchaudio(rebuilt, family, "memory").encoder
    for name, tensor in encoder.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor, rtol=1e-6, atol=0)


def test_what_pretraining_needs_is_named_and_left(hubert, tmp_path):
    encoder, checkpoint = hubert
    extra = {
        "mask_emb": torch.zeros(4),
        "label_embs_concat": torch.zeros(4, 2),
        "final_proj.weight": torch.zeros(2, 2),
        "quantizer.vars": torch.zeros(1),
        "_ema": {"layers.0.fc1.weight": torch.zeros(1)},
    }
    checkpoint["model"] |= extra
    imported = read(checkpoint, tmp_path)
    assert imported.not_converted == tuple(sorted(extra))
    assert_same(imported, encoder)


def test_hubert_with_its_label_dictionary(hubert, tmp_path, monkeypatch):
    """Published HuBERT files hold an object of fairseq; it is read as plain data."""
    module = types.ModuleType("fairseq.data.dictionary")
    module.Dictionary = type("Dictionary", (), {"__module__": module.__name__})
    for name in ("fairseq", "fairseq.data"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    encoder, checkpoint = hubert
    dictionary = module.Dictionary()
    dictionary.symbols = ["<s>", "7"]
    checkpoint["task_state"] = {"dictionaries": [dictionary]}
    torch.save(checkpoint, tmp_path / "checkpoint.pt")
    for name in ("fairseq", "fairseq.data", module.__name__):
        monkeypatch.delitem(sys.modules, name)
    assert_same(import_encoder(str(tmp_path / "checkpoint.pt")), encoder)


@pytest.mark.parametrize("nested", [True, False])
def test_fine_tuned(nested, hubert, tmp_path):
    encoder, checkpoint = hubert
    model = {f"w2v_encoder.w2v_model.{k}": v for k, v in checkpoint["model"].items()}
    model["w2v_encoder.proj.weight"] = torch.zeros(3, 3)
    own = {"_name": "hubert_ctc", "normalize": True, "dropout": 0.9}
    if nested:
        own["w2v_args"] = checkpoint["cfg"]
        options = {"cfg": {"model": own, "task": {"_name": "audio_finetuning"}}}
    else:
        flat = {"arch": "hubert", **checkpoint["cfg"]["model"]}
        own["w2v_args"] = argparse.Namespace(**flat)
        options = {"args": argparse.Namespace(**own), "cfg": None}
    imported = read({**options, "model": model}, tmp_path)
    assert imported.not_converted == ("w2v_encoder.proj.weight",)
    assert imported.encoder.config.family == "hubert"
    assert imported.encoder.config.normalize_waveform
    assert imported.encoder.config.dropout == 0.1
    assert_same(imported, encoder)


def test_old_options_in_a_namespace(tmp_path):
    encoder = random_encoder(tiny_config(family="wav2vec2"))
    checkpoint = fairseq_checkpoint(encoder)
    options = argparse.Namespace(arch="wav2vec2", **checkpoint["cfg"]["model"])
    imported = read({"args": options, "model": checkpoint["model"]}, tmp_path)
    assert imported.encoder.config.family == "wav2vec2"
    assert_same(imported, encoder)


def test_options_without_a_value_have_their_default(hubert, tmp_path):
    _, checkpoint = hubert
    expected = read(checkpoint, tmp_path).encoder.config
    checkpoint["cfg"]["model"] |= {"max_distance": None, "normalize": None}
    assert read(checkpoint, tmp_path).encoder.config == expected


def test_conv_layers_are_parsed():
    text = "[(512,10,5)] + [(512, 3, 2)] * 4 + [(512,2,2)]*2"
    kernels = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)]
    assert read_conv_layers(text) == tuple(ConvConfig(512, *k) for k in kernels)


@pytest.mark.parametrize(
    "text", ["", "print(1)", "[(1, 2, 3)] - [(1, 2, 3)]", "[(1, 2, 3)] * n"]
)
def test_conv_layers_are_not_evaluated(text):
    with pytest.raises(ValueError, match="conv_feature_layers"):
        read_conv_layers(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_name": "wav2vec2_conformer"}, "wav2vec2_conformer"),
        ({"activation_fn": "relu"}, "activation_fn"),
        ({"extractor_mode": "conv"}, "extractor_mode must be default or layer_norm"),
        ({"encoder_layers": "2"}, "encoder_layers must be of type int; found '2'"),
        ({"normalize": "${task.normalize}"}, "normalize must be of type bool"),
        ({"layer_type": "conformer"}, "layer_type"),
        ({"encoder_layers": 2}, "Unknown"),
        ({"encoder_ffn_embed_dim": 65}, "Shapes"),
        ({"relative_position_embedding": True, "gru_rel_pos": False}, "gru_rel_pos"),
        ({"relative_position_embedding": True, "gru_rel_pos": True}, "Missing"),
    ],
)
def test_other_models_are_refused(hubert, tmp_path, changes, message):
    _, checkpoint = hubert
    checkpoint["cfg"]["model"] |= changes
    with pytest.raises(ValueError, match=message):
        read(checkpoint, tmp_path)


def test_wavlm_normalisation_and_distance(tmp_path):
    reference = huggingface("wavlm", "large")
    reference.module.save_pretrained(tmp_path)
    encoder = import_encoder(str(tmp_path)).encoder
    checkpoint = fairseq_checkpoint(encoder)
    imported = read(checkpoint, tmp_path)
    assert imported.provenance["format"] == "wavlm"
    assert imported.encoder.config == encoder.config
    assert imported.encoder.config.dim == TINY.dim
    assert difference(imported.encoder, reference, padded=False) <= 1e-5
