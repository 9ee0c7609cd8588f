"""The two optimisers of every training with gates."""

import pytest

from pruneasr.espnet.prune_task import ASRPruneTask


def test_multipliers_have_a_learning_rate_of_their_own(build):
    conf = {"kind": "mac", "target": 0.4}
    _, (_, same), args = build(constraint=conf)
    assert {group["lr"] for group in same.param_groups} == {args.optim2_conf["lr"]}
    _, (_, optimizer), args = build(constraint={**conf, "multiplier_lr": 0.03})
    gates, multipliers = optimizer.param_groups
    assert gates["lr"] == args.optim2_conf["lr"]
    assert (multipliers["lr"], multipliers["maximize"]) == (0.03, True)
    with pytest.raises(ValueError, match="expected a multiplier_lr above 0; found 0"):
        build(constraint={**conf, "multiplier_lr": 0})


def test_a_scaled_loss_is_refused(build):
    model, _, args = build()
    args.use_amp = True
    with pytest.raises(ValueError, match="expected use_amp: false"):
        ASRPruneTask.build_optimizers(args, model)
