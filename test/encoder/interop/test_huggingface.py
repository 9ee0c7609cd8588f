"""Directories of Hugging Face transformers, in and out."""

import json
import shutil

import pytest
import torch
import transformers
from reference_models import (
    CLASSES,
    FAMILIES,
    SIZES,
    difference,
    huggingface,
    huggingface_module,
)
from safetensors.torch import save_file
from tiny import random_encoder, tiny_config

from pruneasr.encoder.interop import export_huggingface, import_encoder
from pruneasr.encoder.interop.huggingface import read_config

TINY_XVECTOR = {
    "tdnn_dim": (8, 8),
    "tdnn_kernel": (3, 1),
    "tdnn_dilation": (1, 1),
    "xvector_output_dim": 6,
}
HEADS = [
    ("wavlm", "ForSequenceClassification", {"use_weighted_layer_sum": True}),
    ("wavlm", "ForXVector", TINY_XVECTOR),
    ("hubert", "ForCTC", {"vocab_size": 7}),
    ("wav2vec2", "ForPreTraining", {"num_codevectors_per_group": 4}),
    ("wav2vec2", "Model", {"add_adapter": True}),
    ("data2vec", "ForCTC", {"vocab_size": 7}),
]


@pytest.fixture
def saved(tmp_path):
    """A directory with a tiny HuBERT, and a function that edits its config."""
    huggingface_module("hubert", "base").save_pretrained(tmp_path)

    def edit(**changes):
        path = tmp_path / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return tmp_path, edit


@pytest.mark.parametrize(("family", "head", "options"), HEADS)
def test_heads_are_named_and_left(family, head, options, tmp_path):
    model = huggingface_module(family, "large", head=head, **options)
    model.save_pretrained(tmp_path)
    imported = import_encoder(str(tmp_path))
    reference = huggingface(family, "large")
    inner = getattr(model, model.base_model_prefix, model)
    reference.module.load_state_dict(inner.state_dict(), strict=False)
    assert difference(imported.encoder, reference, padded=False) <= 1e-5

    prefix = "" if inner is model else model.base_model_prefix + "."
    outside = {name for name in model.state_dict() if not name.startswith(prefix)}
    inside = {"masked_spec_embed"}
    if options == {"add_adapter": True}:
        inside |= {name for name in model.state_dict() if name.startswith("adapter.")}
        assert len(inside) > 1
    assert set(imported.not_converted) == outside | inside


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", SIZES)
def test_export_loads_strictly_and_comes_back(family, size, tmp_path):
    reference = huggingface(family, size)
    reference.module.save_pretrained(tmp_path / "theirs")
    encoder = import_encoder(str(tmp_path / "theirs")).encoder
    export_huggingface(encoder, tmp_path / "ours")
    model, info = transformers.AutoModel.from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not any(info.values())
    assert type(model) is type(reference.module)
    theirs = reference.module.state_dict()
    for name, tensor in model.state_dict().items():
        if "pos_conv" not in name:  # its magnitude and direction are scaled anew
            assert torch.equal(tensor, theirs[name])

    again = import_encoder(str(tmp_path / "ours"))
    assert again.encoder.config == encoder.config
    assert again.not_converted == ()
    assert difference(again.encoder, reference, padded=False) <= 1e-5


@pytest.mark.parametrize(
    "options", [{"channel_scale": True}, {"family": "data2vec", "norm_first": True}]
)
def test_export_refuses_what_transformers_lacks(options, tmp_path):
    encoder = random_encoder(tiny_config(**options))
    with pytest.raises(ValueError, match="Keep it as a pruneasr directory"):
        export_huggingface(encoder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_defaults_are_those_of_transformers(family):
    explicit = CLASSES[family]().to_dict()
    short = {"model_type": explicit["model_type"]}
    assert read_config(short, {}) == read_config(explicit, {})


def test_preprocessor_decides_normalisation():
    values = {"model_type": "wav2vec2"}
    assert not read_config(values, {}).normalize_waveform
    assert read_config(values, {"do_normalize": True}).normalize_waveform
    values["feat_extract_norm"] = "layer"
    assert read_config(values, {}).normalize_waveform


@pytest.mark.parametrize("normalize", [True, False])
def test_a_saved_processor_decides_it_too(saved, normalize):
    """Transformers 5 writes the feature extractor's options into the processor's."""
    directory, edit = saved
    edit(feat_extract_norm="group")
    inner = {"sampling_rate": 16000, "do_normalize": normalize}
    path = directory / "processor_config.json"
    path.write_text(json.dumps({"feature_extractor": inner}))
    assert import_encoder(str(directory)).encoder.config.normalize_waveform == normalize


@pytest.mark.parametrize("values", [{"sampling_rate": 8000}, {"do_normalize": None}])
def test_other_feature_extractors_are_refused(saved, values):
    directory, _ = saved
    (directory / "preprocessor_config.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="sampling_rate 16000 and do_normalize"):
        import_encoder(str(directory))


def test_other_weights_beside_the_models_are_left(saved):
    directory, _ = saved
    encoder = import_encoder(str(directory)).encoder
    torch.manual_seed(1)
    other = huggingface_module("hubert", "base").state_dict()
    save_file(other, directory / "model_ema.safetensors")
    again = import_encoder(str(directory))
    assert set(again.provenance["sha256"]) == {"model.safetensors"}
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(again.encoder.state_dict()[name], tensor)


def test_a_tensor_in_two_shards_is_refused(saved):
    directory, _ = saved
    whole = directory / "model.safetensors"
    for i in (1, 2):
        shutil.copy(whole, directory / f"model-0000{i}-of-00002.safetensors")
    whole.unlink()
    with pytest.raises(ValueError, match="are in another file of"):
        import_encoder(str(directory))


def test_pickled_and_sharded_weights(saved):
    directory, _ = saved
    expected = import_encoder(str(directory)).encoder.state_dict()
    (directory / "model.safetensors").unlink()
    state = huggingface_module("hubert", "base").state_dict()
    names = list(state)
    for i, part in enumerate((names[:20], names[20:])):
        shard = {name: state[name] for name in part}
        torch.save(shard, directory / f"pytorch_model-0000{i + 1}-of-00002.bin")
    imported = import_encoder(str(directory))
    for name, tensor in imported.encoder.state_dict().items():
        assert torch.equal(tensor, expected[name])
    assert len(imported.provenance["sha256"]) == 2


def test_half_precision_becomes_float32(saved):
    directory, _ = saved
    huggingface_module("hubert", "base").half().save_pretrained(directory)
    encoder = import_encoder(str(directory)).encoder
    assert {tensor.dtype for tensor in encoder.state_dict().values()} == {torch.float32}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "bert"}, "model_type"),
        ({"model_type": "wavlm"}, "rel_attn_embed"),
        ({"intermediate_size": 41}, "Shapes"),
        ({"hidden_size": "32"}, "hidden_size must be of type int; found '32'"),
        ({"conv_dim": 512}, "conv_dim must be of type list; found 512"),
        ({"feat_extract_norm": "batch"}, "feat_extract_norm must be group or layer"),
        (
            {"model_type": "data2vec-audio", "num_conv_pos_embeddings": 1},
            "data2vec needs num_conv_pos_embeddings of at least 2",
        ),
        ({"num_hidden_layers": 2}, "Unknown"),
        ({"num_hidden_layers": 4}, "Missing"),
        ({"hidden_size": 25}, "num_heads"),
        ({"layer_norm_eps": 1e-6}, "layer_norm_eps"),
        ({"hidden_act": "relu"}, "hidden_act"),
        ({"conv_pos_batch_norm": True}, "conv_pos_batch_norm"),
        ({"feat_proj_layer_norm": False}, "feat_proj_layer_norm"),
    ],
)
def test_other_models_are_refused(saved, changes, message):
    directory, edit = saved
    edit(**changes)
    with pytest.raises(ValueError, match=message):
        import_encoder(str(directory))


def test_damaged_files_are_refused(saved):
    directory, _ = saved
    weights = directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        import_encoder(str(directory))
    weights.unlink()
    with pytest.raises(ValueError, match="expected model"):
        import_encoder(str(directory))
    (directory / "config.json").write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        import_encoder(str(directory))
