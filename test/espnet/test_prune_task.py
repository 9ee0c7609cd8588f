"""Pruning under the loss of a task: what is learned, logged, removed and refused."""

import copy

import pytest
import torch
import yaml
from espnet2.tasks.asr import ASRTask
from espnet2.tasks.slu import SLUTask
from task_training import SEP_MAC, batch, train, write_recipe
from tiny import largest_difference, tiny_config, waveforms

from pruneasr.bin.task_prune_train import main
from pruneasr.bin.task_train import main as tune
from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.espnet.prune import prune_experiment, read_history
from pruneasr.espnet.prune_task import TASKS
from pruneasr.pruning.cost import macs
from pruneasr.pruning.prune import remove_checked
from pruneasr.pruning.units import find_gates
from pruneasr.pruning.widths import config_widths

ESPNET_TASKS = {"asr": ASRTask, "slu": SLUTask}
UNITS = ("conv", "head", "ffn")  # those of [P23]


@pytest.mark.parametrize("task", TASKS)
def test_loss_is_that_of_espnet_plus_the_lagrangian(build, task):
    model, _, _ = build(task, constraint={"kind": "mac", "target": 0.4})
    model.constraint.lambda1.data.fill_(2.0)
    model.step += 2  # half of the warm-up of 4 steps: target 0.2
    torch.manual_seed(1)
    loss, stats, weight = model.train()(**batch())
    torch.manual_seed(1)
    task_loss, task_stats, _ = model.model(**batch())
    gap = stats["expected_sparsity_mac"] - 0.2
    assert stats["target_sparsity_mac"].item() == pytest.approx(0.2)
    assert loss.item() == pytest.approx((task_loss + 2 * gap).item(), rel=1e-5)
    assert stats["task_loss"].item() == pytest.approx(task_loss.item())
    assert stats["loss"].item() == pytest.approx(loss.item())
    assert task_stats.keys() <= stats.keys()
    assert weight.item() == 2


def test_a_step_descends_along_the_clipped_gradient_of_the_weights(build):
    """By plain gradient descent: w - lr g c / |g|, |g| over the weights alone."""
    lr, limit = 0.1, 1e-3
    model, optimizers, _ = build(optim="sgd", optim_conf={"lr": lr}, grad_clip=limit)
    weights = [p for group in optimizers[0].param_groups for p in group["params"]]
    loss, _, _ = model.train()(**batch())
    loss.sum().backward()
    before = [p.detach().clone() for p in weights]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in weights]
    gradients = [gradient.clone() for gradient in gradients]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    assert norm > limit
    gates = {key: gate.log_alpha.grad for key, gate in find_gates(model).items()}
    whole = {key: gradient.clone() for key, gradient in gates.items()}
    for optimizer in optimizers:
        optimizer.step()
    for old, new, gradient in zip(before, weights, gradients, strict=True):
        expected = old - lr * limit / norm * gradient
        torch.testing.assert_close(new, expected, rtol=1e-4, atol=1e-9)
    assert all(torch.equal(gates[key], whole[key]) for key in gates)


def test_weights_descend_multipliers_ascend_and_steps_are_counted(build):
    model, optimizers, args = build()
    assert args.grad_clip < float("inf")  # what was asked for is written down
    weights = {id(p) for group in optimizers[0].param_groups for p in group["params"]}
    gates = {id(gate.log_alpha) for gate in find_gates(model).values()}
    multipliers = {id(p) for p in model.constraint.parameters()}
    everything = {id(p) for p in model.parameters()}
    assert weights == everything - gates - multipliers
    before = copy.deepcopy(model.state_dict())
    stats = train(model, optimizers, 4)
    after = model.state_dict()
    assert int(model.step) == 4
    # the target runs ahead of the expected sparsity, so the price of the gap rises
    assert stats["expected_sparsity_mac_cnn"] < stats["target_sparsity_mac_cnn"]
    assert (after["constraint.lambda1"] < 0).all()
    assert (after["constraint.lambda2"] > 0).all()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    for name in (
        *("model.ctc.ctc_lo.weight", "model.frontend.featurizer.weights"),
        "model.frontend.upstream.feature_extractor.layers.0.conv.weight",
        "model.frontend.upstream.feature_extractor.layers.0.slot.log_alpha",
    ):
        assert name in changed


@pytest.mark.parametrize(
    ("task", "variant"),
    [
        ("asr", "wavlm-base"),
        ("asr", "wavlm-large"),
        ("slu", "hubert-base"),
        ("slu", "wav2vec2-large"),
    ],
)
def test_what_is_left_computes_what_the_trained_model_did(
    build, tmp_path, task, variant
):
    """Both kinds of convolution: group norm in the base, layer norm in the large."""
    model, optimizers, args = build(task, variant)
    train(model, optimizers, 6)
    encoder = model.frontend.upstream.eval()
    removed, _ = remove_checked(encoder, model.constraint)
    save_encoder(removed, tmp_path / "pruned")
    reloaded = load_encoder(tmp_path / "pruned").eval()
    assert largest_difference(encoder, reloaded, *waveforms()) <= 1e-5
    channels = [conv.channels for conv in reloaded.config.conv_layers]
    assert sum(channels) < 7 * 16

    # the whole model: the smaller encoder in ESPnet's own, as fine-tuning starts
    args.frontend_conf = {"ckpt": str(tmp_path / "pruned"), "arch": {}}
    small = ESPNET_TASKS[task].build_model(args)
    rest = {
        name: value
        for name, value in model.model.state_dict().items()
        if not name.startswith("frontend.upstream")
    }
    small.load_state_dict({**small.state_dict(), **rest}, strict=True)
    model.eval()
    small.eval()
    with torch.no_grad():
        task_loss = model(**batch())[1]["task_loss"]
        assert small(**batch())[0].item() == pytest.approx(task_loss.item(), rel=1e-5)


def test_the_encoder_keeps_its_own_dropout(build, tmp_path):
    frontend_conf = {"ckpt": str(tmp_path / "encoder"), "arch": {}, "dropout": 0.3}
    model, _, args = build(frontend_conf=frontend_conf, output_dir=str(tmp_path))
    torch.save(model.state_dict(), tmp_path / "latest.pth")
    encoder, constraint = TASKS["asr"].load_gated(args)
    assert model.frontend.upstream.config.dropout == 0.3
    assert encoder.config.dropout == 0.0
    assert constraint.targets == SEP_MAC["target"]


def test_reference_length_and_straight_through_are_options(build):
    constraint = {"kind": "mac", "target": 0.4, "reference_sec": 3.0}
    model, _, _ = build(constraint=constraint, ste=False)
    assert model.constraint.dense["mac"] == macs_of_dense(3.0)
    assert not any(gate.ste for gate in find_gates(model).values())


def macs_of_dense(seconds):
    config = tiny_config()
    return macs(config, config_widths(config), seconds).total


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"constraint": {"kind": "mac", "target": 0.99}},
            r"leave at least 0\.\d{4} of it, so the target must be from 0 to 0\.\d{4}",
        ),
        (
            {"constraint": {"kind": "sep_mac", "target": {"mac_cnn": 0.4}}},
            "one target sparsity for each of .*mac_transformer",
        ),
        ({"constraint": {"kind": "mac"}}, "one target sparsity for each of"),
        ({"constraint": {"goal": 0.4}}, "constraint_conf with .* target, .*found goal"),
        ({"units": ("heads",)}, "expected distinct units"),
        ({"frontend": "default", "frontend_conf": {"n_mels": 8}}, "pruned_ssl"),
        ({"layer": 2, "multilayer_feature": False}, "leave `layer` out"),
        ({"freeze_steps": 3}, "freeze_steps must be 0"),
        ({"freeze": True}, "found a frontend_conf with freeze"),
        ({"freeze_cnn": True}, "freeze_cnn and gates on conv head ffn"),
        ({"num_iters_per_epoch": None}, "length of the training"),
    ],
)
def test_bad_options_are_refused(build, tmp_path, options, message):
    known = {"layer", "multilayer_feature", "freeze", "freeze_cnn", "freeze_steps"}
    of_frontend = known & options.keys()
    if of_frontend:
        conf = {"ckpt": str(tmp_path / "encoder"), "arch": {}}
        options = {"frontend_conf": conf | {key: options[key] for key in of_frontend}}
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_convolutions_without_gates_may_be_frozen(build, tmp_path):
    conf = {"ckpt": str(tmp_path / "encoder"), "arch": {}, "freeze_cnn": True}
    cost = {"kind": "mac", "target": 0.2}
    assert build(units=("head", "ffn"), frontend_conf=conf, constraint=cost)


def test_an_encoder_from_nowhere_is_not_pruned(build):
    arch = tiny_config().to_dict()
    with pytest.raises(ValueError, match="expected ckpt in frontend_conf"):
        build(frontend_conf={"arch": arch})


def test_the_program_needs_to_know_the_task(capsys):
    for wrong in ([], ["--task", "st"]):
        with pytest.raises(SystemExit):
            main(wrong)
        assert "--task" in capsys.readouterr().err


@pytest.mark.integration
@pytest.mark.timeout(300)
@pytest.mark.parametrize("task", TASKS)
def test_trained_resumed_and_removed(tmp_path, task, monkeypatch):
    """ESPnet's trainer, stopped after an epoch and started again, then the removal."""
    for module in ("schedulers", "gate_training"):  # in parts, as long as the whole
        monkeypatch.setattr(f"pruneasr.espnet.{module}.num_batches", lambda _: 8)
    command = write_recipe(tmp_path, task)
    main([*command, "--output_dir", f"{tmp_path}/whole"])
    for epochs in ("1", "2"):
        main([*command, "--output_dir", f"{tmp_path}/two", "--max_epoch", epochs])
    whole, two = (torch.load(tmp_path / d / "latest.pth") for d in ("whole", "two"))
    assert whole.keys() == two.keys()
    written = yaml.safe_load((tmp_path / "whole" / "config.yaml").read_text())
    assert written["grad_clip"] < float("inf")
    assert all(torch.equal(whole[name], two[name]) for name in whole)
    assert int(whole["step"]) == 8

    report = prune_experiment(tmp_path / "whole", tmp_path / "pruned")
    for term, target in SEP_MAC["target"].items():
        assert target <= report["sparsity"]["actual"][term] < target + 0.05
    assert (tmp_path / "pruned" / "report.md").exists()
    history = read_history(tmp_path / "whole")
    for name in ("target_sparsity_mac_cnn", "lambda1_mac_transformer", "gate_conv"):
        assert len(history[name]) == 2

    # fine-tuning of what is left goes on with the rest of the model, if one likes
    options = write_recipe(tmp_path, task, units=None, ckpt=tmp_path / "pruned")
    tune(
        [
            *options,
            *(
                "--init_param",
                f"{tmp_path}/whole/latest.pth:model::model.frontend.upstream",
            ),
            *("--ignore_init_mismatch", "false", "--output_dir", f"{tmp_path}/tuned"),
        ]
    )
    assert (tmp_path / "tuned" / "2epoch.pth").exists()
