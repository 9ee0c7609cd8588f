"""The two optimisers of every training with gates."""

import pytest
import yaml

from pruneasr.espnet.prune_task import ASRPruneTask


def test_multipliers_have_a_learning_rate_of_their_own(build):
    conf = {"kind": "mac", "target": 0.4}
    _, (_, same), args = build(constraint=conf)
    assert {group["lr"] for group in same.param_groups} == {args.optim2_conf["lr"]}
    _, (_, optimizer), args = build(constraint={**conf, "multiplier_lr": 0.03})
    gates, multipliers = optimizer.param_groups
    assert gates["lr"] == args.optim2_conf["lr"]
    assert (multipliers["lr"], multipliers["maximize"]) == (0.03, True)
    _, (_, optimizer), _ = build(constraint={**conf, "multiplier_lr": None})
    assert {group["lr"] for group in optimizer.param_groups} == {args.optim2_conf["lr"]}


def test_numbers_that_yaml_takes_for_strings_are_numbers(build):
    numbers = {"target": "4e-1", "reference_sec": "1e1", "warmup": "5e-1"}
    assert yaml.safe_load("1e-2") == "1e-2"
    model, (_, optimizer), _ = build(
        constraint={"kind": "mac", "multiplier_lr": "1e-2", **numbers}
    )
    assert optimizer.param_groups[1]["lr"] == 0.01
    assert model.constraint.targets == {"mac": 0.4}
    assert (model.constraint.reference_sec, model.constraint.warmup_steps) == (10.0, 4)
    model, _, _ = build(constraint={"kind": "mac", "target": 0.4, "warmup": 0})
    assert model.constraint.scheduled(0) == {"mac": 0.4}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"multiplier_lr": 0}, "expected a multiplier_lr above 0; found 0"),
        ({"multiplier_lr": "fast"}, "number as multiplier_lr .* found 'fast'"),
        ({"multiplier_lr": float("inf")}, "finite number as multiplier_lr"),
        ({"warmup": 5000}, "warmup .* from 0 to below 1, a share.* found 5000"),
        ({"warmup": 1}, "found 1"),
        ({"warmup": -0.5}, "found -0.5"),
        ({"warmup": True}, "finite number as warmup .* found True"),
        ({"reference_sec": "inf"}, r"such as 0.01 or 1.0e-2; found 'inf'"),
        ({"reference_sec": 0}, "at least one frame"),
        ({"target": [0.4]}, r"number as target .* found \[0.4\]"),
        ({"kind": "sep_mac", "target": {"mac_cnn": "x"}}, "target.mac_cnn .* 'x'"),
        ({"wormup": 0.1}, "found wormup"),
    ],
)
def test_what_no_training_could_be_constrained_by_is_refused(build, option, message):
    with pytest.raises(ValueError, match=message):
        build(constraint={"kind": "mac", "target": 0.4, **option})


@pytest.mark.parametrize("option", ["use_amp", "exclude_weight_decay", "sharded_ddp"])
def test_what_would_undo_or_ignore_the_two_optimizers_is_refused(build, option):
    model, _, args = build()
    setattr(args, option, True)
    with pytest.raises(ValueError, match=f"expected {option}: false"):
        ASRPruneTask.build_optimizers(args, model)
