"""What ESPnet does to a frontend behind its back, and that ours stands it."""

import copy
from importlib.metadata import version

import pytest
import torch
import yaml
from espnet2.torch_utils.initialize import initialize
from espnet2.torch_utils.load_pretrained_model import load_pretrained_model
from espnet2.utils.yaml_no_alias_safe_dump import yaml_no_alias_safe_dump
from tiny import tiny_config
from torch import nn

from pruneasr.encoder import load_encoder
from pruneasr.espnet.frontend import PrunedSSLFrontend


class Model(nn.Module):
    """The part of an ESPnet model that matters here."""

    def __init__(self, frontend):
        super().__init__()
        self.frontend = frontend
        self.decoder = nn.Linear(frontend.output_size(), 3)

    def forward(self, *batch):
        return self.decoder(self.frontend(*batch)[0])


class LoRALinear(nn.Linear):
    """A Linear with low-rank adapters, put in place of one by its name."""

    def __init__(self, linear):
        super().__init__(linear.in_features, linear.out_features)
        self.weight, self.bias = linear.weight, linear.bias
        self.lora_A = nn.Parameter(torch.randn(2, linear.in_features))
        self.lora_B = nn.Parameter(torch.randn(linear.out_features, 2))

    def forward(self, x):
        return super().forward(x) + x @ self.lora_A.T @ self.lora_B.T


def add_lora(model, targets=("q_proj", "v_proj")):
    for name, module in list(model.named_modules()):
        if name.endswith(targets):
            parent, child = name.rsplit(".", 1)
            setattr(model.get_submodule(parent), child, LoRALinear(module))


def freeze_param(model, prefix):
    for name, parameter in model.named_parameters():
        if name.startswith(prefix + "."):
            parameter.requires_grad = False


CHAINER = pytest.param(
    "chainer",
    marks=pytest.mark.skipif(
        version("espnet") >= "202609", reason="ESPnet 202609 dropped init: chainer"
    ),
)


@pytest.mark.parametrize("init", ["xavier_uniform", "kaiming_normal", CHAINER])
def test_init_keeps_the_weights_of_the_encoder(frontend, init):
    model = Model(frontend())
    initialize(model, init)
    saved = load_encoder(model.frontend.ckpt).state_dict()
    for name, tensor in model.frontend.upstream.state_dict().items():
        torch.testing.assert_close(tensor, saved[name], msg=name)


def test_init_of_a_decoding_model_needs_no_checkpoint(batch):
    model = Model(PrunedSSLFrontend(ckpt="/nowhere", arch=tiny_config().to_dict()))
    initialize(model, "xavier_uniform")
    model.load_state_dict(model.state_dict(), strict=False)
    assert model(*batch).isfinite().all()


def test_a_missing_weight_is_an_error_though_not_strict(frontend):
    model = Model(frontend())
    state = model.state_dict()
    del state["frontend.upstream.blocks.1.attention.branch.q_proj.weight"]
    with pytest.raises(ValueError, match=r"blocks\.1\.attention\.branch\.q_proj"):
        model.load_state_dict(state, strict=False)


def test_a_renamed_weight_is_an_error_though_not_strict(frontend):
    model = Model(frontend())
    state = {
        name.replace("featurizer.weights", "featurizer.weight"): tensor
        for name, tensor in model.state_dict().items()
    }
    with pytest.raises(ValueError, match=r"Extra: .'frontend\.featurizer\.weight'"):
        model.load_state_dict(state, strict=False)


def test_a_model_without_any_frontend_weight_is_an_error(frontend):
    model = Model(frontend())
    with pytest.raises(ValueError, match="Missing"):
        model.load_state_dict(model.decoder.state_dict(prefix="decoder."), strict=False)


def test_init_param_of_another_part_is_no_error(frontend, tmp_path):
    model = Model(frontend())
    torch.save({"weight": torch.ones(3, 32)}, tmp_path / "decoder.pth")
    load_pretrained_model(f"{tmp_path}/decoder.pth::decoder", model, True)
    assert model.decoder.weight.eq(1).all()


def test_init_param_of_the_frontend_alone(frontend, batch, tmp_path):
    model = Model(frontend())
    torch.save(model.state_dict(), tmp_path / "model.pth")
    other = Model(PrunedSSLFrontend(ckpt="/nowhere", arch=tiny_config().to_dict()))
    load_pretrained_model(
        f"{tmp_path}/model.pth:frontend:frontend", other, ignore_init_mismatch=False
    )
    torch.testing.assert_close(other.frontend(*batch), model.frontend(*batch))


def test_freeze_param_by_the_name_used_for_s3prl(frontend, batch):
    model = Model(frontend({"dropout": 0.5}))
    freeze_param(model, "frontend.upstream")
    model.train()
    torch.testing.assert_close(model(*batch), model(*batch))
    model(*batch).sum().backward()
    assert all(p.grad is None for p in model.frontend.upstream.parameters())
    assert model.frontend.featurizer.weights.grad is not None


@pytest.mark.parametrize("family", ["wavlm", "hubert"])
def test_lora_on_queries_and_values_trains(frontend, batch, family):
    model = Model(frontend({"family": family}))
    freeze_param(model, "frontend.upstream")
    add_lora(model)
    model.train()
    model(*batch).square().sum().backward()
    grads = {n: p.grad for n, p in model.named_parameters() if "lora_" in n}
    assert len(grads) == 12
    assert all(g is not None and g.abs().sum() > 0 for g in grads.values())


def test_lora_saved_without_the_frozen_weights(frontend, batch):
    model = Model(frontend())
    freeze_param(model, "frontend.upstream")
    add_lora(model)
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    state = {n: t for n, t in model.state_dict().items() if n in trained}
    again = Model(frontend())
    add_lora(again)
    again.load_state_dict(state, strict=False)
    torch.testing.assert_close(again(*batch), model(*batch))


def test_lora_saved_without_the_frozen_weights_needs_the_checkpoint(frontend):
    model = Model(frontend())
    add_lora(model)
    state = {n: t for n, t in model.state_dict().items() if "lora_" in n}
    again = Model(PrunedSSLFrontend(ckpt="/nowhere", arch=tiny_config().to_dict()))
    add_lora(again)
    with pytest.raises(ValueError, match="Missing"):
        again.load_state_dict(state, strict=False)


def test_arch_survives_the_yaml_of_the_saved_configuration(frontend):
    conf = {"frontend_conf": {"arch": {}}}
    frontend(arch=conf["frontend_conf"]["arch"])
    read = yaml.safe_load(yaml_no_alias_safe_dump(conf))
    assert PrunedSSLFrontend(**read["frontend_conf"]).arch == tiny_config()


def test_a_copy_restores_itself_and_not_its_original(frontend):
    front = frontend()
    twin = copy.deepcopy(front)
    initialize(Model(twin), "xavier_uniform")
    with torch.no_grad():
        front.upstream.norm.weight.zero_()
    twin.featurizer.espnet_initialization_fn()
    assert not front.upstream.norm.weight.any()
    assert twin.upstream.norm.weight.all()


def test_state_holds_tensors_only(frontend, tmp_path):
    path = tmp_path / "model.pth"
    torch.save(Model(frontend()).state_dict(), path)
    assert torch.load(path, weights_only=True)
