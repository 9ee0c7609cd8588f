"""Untrained baselines: on target, by the largest weights, by the same seed."""

import math

import pytest
import torch
from tiny import random_encoder, tiny_config

from pruneasr.bin.prune import main
from pruneasr.encoder import save_encoder
from pruneasr.encoder.checkpoint import load_metadata
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.plan import plan_removal
from pruneasr.pruning.planned import planned_config
from pruneasr.pruning.prune import remove_checked
from pruneasr.pruning.removal import remove
from pruneasr.pruning.scores import gate_by_scores
from pruneasr.pruning.widths import config_widths

# 2048 inner dimensions: one of them is far less than 0.1 % of the cost
WIDE = tiny_config(ffn=2048)
# the largest entry of a closed-form case, over weights of about 0.1
LARGE = 10.0


def gated(encoder, units, target, scores="magnitude", seed=1, denominator="mha_ffn"):
    constraint = Constraint(
        encoder.config, units, target=target, denominator=denominator, warmup_steps=0
    )
    gate_by_scores(encoder, units, constraint, scores=scores, seed=seed)
    return constraint


@pytest.mark.parametrize("scores", ["random", "magnitude"])
@pytest.mark.parametrize(
    ("units", "denominator"),
    [
        (("qk", "vo", "ffn"), "mha_ffn"),
        (("head", "ffn"), "mha_ffn"),
        (("conv", "head", "ffn"), "whole"),
    ],
)
def test_size_meets_the_target(scores, units, denominator):
    encoder = random_encoder(WIDE)
    constraint = gated(encoder, units, 0.5, scores, denominator=denominator)
    removed, distance = remove_checked(encoder, constraint)
    actual = constraint.sparsity(config_widths(removed.config))["size"]
    assert actual == pytest.approx(0.5, abs=1e-3)
    assert actual >= 0.5
    assert distance <= 1e-4


@torch.no_grad()
def one_large_unit(unit):
    """An encoder where unit 1 of block 2 stands out in one weight, wherever it is."""
    encoder = random_encoder()
    block = encoder.blocks[2]
    attention, feed_forward = block.attention.branch, block.feed_forward.branch
    if unit == "qk":
        attention.k_proj.weight[1, 3] = LARGE
    if unit == "vo":
        attention.out_proj.weight[3, 1] = LARGE
    if unit == "head":  # dimension 8 is the first one of head 1
        attention.q_proj.weight[8, 3] = LARGE
    if unit == "ffn":
        feed_forward.down_proj.weight[3, 1] = LARGE
    return encoder


@pytest.mark.parametrize("unit", ["qk", "vo", "head", "ffn"])
def test_the_unit_of_the_largest_weight_stays_to_the_end(unit):
    encoder = one_large_unit(unit)
    sizes = {"ffn": 64, "head": 4}
    only = {(unit, i): torch.zeros(sizes.get(unit, 32)).bool() for i in range(3)}
    only[unit, 2][1] = True
    widths = config_widths(planned_config(encoder.config, only))
    dense = Constraint(encoder.config, [unit], target=0.0, warmup_steps=0)
    exact = float(dense.sparsity(widths)["size"])
    constraint = gated(encoder, [unit], exact - 1e-6)
    plan = plan_removal(encoder, constraint)
    assert {key: z.tolist() for key, z in plan.items()} == {
        key: z.tolist() for key, z in only.items()
    }


def test_a_channel_counts_with_what_reads_it_and_a_convolution_keeps_one():
    encoder = random_encoder()
    layers = encoder.feature_extractor.layers
    with torch.no_grad():
        for layer in layers:
            layer.conv.weight[5] = 0.0
        layers[3].conv.weight[:, 5] = LARGE
        for layer in layers[5:]:  # no channel of layer 5 is worth anything
            layer.conv.weight *= 0.0
    gated(encoder, ["conv"], 0.1, denominator="whole")
    assert bool(layers[2].slot.kept[5])  # layer 3 reads it
    assert not bool(layers[1].slot.kept[5])
    assert int(layers[5].slot.kept.sum()) == 1


@torch.no_grad()
def test_a_kind_of_small_weights_does_not_go_as_a_whole():
    encoder = random_encoder(WIDE)
    for block in encoder.blocks:
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            getattr(block.attention.branch, projection).weight *= 1e-3
    constraint = gated(encoder, ["qk", "vo", "ffn"], 0.5)
    removed, _ = remove_checked(encoder, constraint)
    heads = [head for block in removed.config.blocks for head in block.heads]
    assert sum(head.vo for head in heads) > 3 * 32 // 4  # of a half that is left


def test_channels_close_where_they_count_only():
    with pytest.raises(ValueError, match="denominator whole with the unit conv"):
        gated(random_encoder(), ["conv", "ffn"], 0.1)


def test_scores_leave_the_weights_of_what_stays_alone():
    encoder = random_encoder()
    constraint = gated(encoder, ["ffn"], 0.3)
    removed, _ = remove_checked(encoder, constraint)
    rows = {
        tuple(r)
        for b in encoder.blocks
        for r in b.feed_forward.branch.up_proj.weight.tolist()
    }
    left = removed.blocks[0].feed_forward.branch
    assert {tuple(row) for row in left.up_proj.weight.tolist()} <= rows
    columns = encoder.blocks[0].feed_forward.branch.down_proj.weight.T.tolist()
    assert all(column in columns for column in left.down_proj.weight.T.tolist())


@pytest.mark.parametrize(
    ("units", "scores"), [(["ffn", "ffn_layer"], "random"), (["ffn"], "gradient")]
)
def test_unknown_scores_and_whole_branches_are_refused(units, scores):
    encoder = random_encoder()
    with pytest.raises(ValueError, match="expected scores out of"):
        gated(encoder, units, 0.3, scores)


def random_plan(seed):
    encoder = random_encoder()
    return plan_removal(encoder, gated(encoder, ["qk", "vo"], 0.2, "random", seed))


def test_a_seed_draws_the_same_plan_again_and_another_one_another():
    first, again, other = (random_plan(seed) for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def spoil(removed, difference):
    """Make a removed encoder compute something else, in its last block's norm."""
    torch.nn.init.constant_(removed.blocks[-1].feed_forward.norm.bias, difference)


def ignore_padding(removed, _):
    """Make a removed encoder differ on padded batches only."""
    forward = removed.forward
    removed.forward = lambda waveforms, _: forward(waveforms, None)


@pytest.mark.parametrize(
    ("break_it", "difference"), [(spoil, math.nan), (spoil, 3e-4), (ignore_padding, 0)]
)
def test_a_removal_that_computes_something_else_is_none(
    monkeypatch, break_it, difference
):
    encoder = random_encoder()
    torch.nn.init.zeros_(encoder.blocks[-1].feed_forward.norm.bias)
    constraint = Constraint(encoder.config, ["ffn"], target=0.2, warmup_steps=0)
    gate_by_scores(encoder, ["ffn"], constraint, scores="random", seed=0)

    def broken(*arguments):
        removed = remove(*arguments)
        break_it(removed, difference)
        return removed

    monkeypatch.setattr("pruneasr.pruning.prune.remove", broken)
    with pytest.raises(ValueError, match="differs from the masked one by"):
        remove_checked(encoder, constraint)


def test_command_line(tmp_path, capsys):
    save_encoder(random_encoder(), tmp_path / "teacher")
    main(
        [
            *("--scores", "random", "--seed", "3", "--units", "qk", "vo", "ffn"),
            *("--teacher", f"{tmp_path}/teacher", "--target", "0.5"),
            *("--output", f"{tmp_path}/pruned"),
        ]
    )
    assert "| size (mha_ffn) | 0.5000 |" in capsys.readouterr().out
    assert (tmp_path / "pruned" / "report.md").exists()
    assert load_metadata(tmp_path / "pruned")["provenance"]["scores"] == "random"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scores", "random", "--units", "ffn"], "--scores needs --teacher"),
        (["--experiment", "x", "--target", "0.5"], "--target goes with --scores"),
        (["--experiment", "x", "--seed", "2"], "--seed goes with --scores"),
        (["--experiment", "x", "--seed", "0"], "--seed goes with --scores"),
        (["--experiment", "x", "--denominator", "whole"], "--denominator goes with"),
        ([], "one of the arguments --experiment --scores is required"),
    ],
)
def test_incomplete_command_lines_are_refused(options, message, capsys):
    with pytest.raises(SystemExit):
        main([*options, "--output", "y"])
    assert message in capsys.readouterr().err
