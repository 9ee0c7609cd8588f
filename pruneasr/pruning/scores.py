"""Gates that follow a score instead of a training: the untrained baselines.

    random       scores drawn evenly
    magnitude    the root mean square of all weights that go with a unit, over the mean
                 of its kind in its layer (Li et al. 2017 rank the filters of a layer by
                 their norm): units are small among their like. Without that, the kind
                 with the smallest weights goes first as a whole, attention on AN4

All units of an encoder are ranked together, and the lowest close until the target is
met. The gates then go the way of trained ones, through ``plan_removal`` and ``remove``.
Whole branches have no score: one goes when nothing is left in it.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from pruneasr.encoder import Encoder
from pruneasr.encoder.attention import Attention
from pruneasr.encoder.feature_extractor import ConvLayer
from pruneasr.encoder.layers import Block, FeedForward
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.planned import planned_config
from pruneasr.pruning.units import attach_gates, find_gates
from pruneasr.pruning.widths import config_widths

# (size,) one score per unit of each gate
Scores = dict[tuple[str, int], Tensor]
SCORED_UNITS = ("conv", "qk", "vo", "head", "ffn")
# A kept unit then has the value 1 in float32: its weights stay as they are
OPEN = 30.0


def random_scores(encoder: Encoder, generator: torch.Generator) -> Scores:
    """Return an even draw for every unit of a gated encoder."""
    return {
        key: torch.rand(len(gate.log_alpha), generator=generator)
        for key, gate in find_gates(encoder).items()
    }


@torch.no_grad()
def magnitude_scores(encoder: Encoder, _: torch.Generator) -> Scores:
    """Return the size of every unit's weights among its like; nothing is drawn."""
    sizes = {
        key: torch.stack([w.square().mean().sqrt() for w in _weights(encoder, *key)])
        for key in find_gates(encoder)
    }
    # a layer of zeros goes first
    tiny = torch.finfo(torch.float32).tiny
    return {key: size / size.mean().clamp_min(tiny) for key, size in sizes.items()}


SCORES: dict[str, Callable[[Encoder, torch.Generator], Scores]] = {
    "magnitude": magnitude_scores,
    "random": random_scores,
}


def gate_by_scores(
    encoder: Encoder,
    units: Iterable[str],
    constraint: Constraint,
    *,
    scores: str,
    seed: int,
) -> None:
    """Attach gates to an encoder, in place, and close the units of the lowest scores.

    Args:
        encoder: its slots must be empty.
        units: of :data:`SCORED_UNITS`.
        constraint: met by what stays open, within one unit.
        scores: key of :data:`SCORES`.
        seed: of what is drawn.

    Raises:
        ValueError: if scores or units are unknown, gates are attached, or channels
            would close of which the constraint counts nothing.
    """
    units = tuple(units)
    if scores not in SCORES or not set(units) <= set(SCORED_UNITS):
        raise ValueError(
            f"expected scores out of {sorted(SCORES)} and units out of {SCORED_UNITS} "
            f"(a branch goes when nothing is left in it); found {scores} and {units}"
        )
    if "conv" in units and constraint.denominator == "mha_ffn":
        raise ValueError(
            "expected denominator whole with the unit conv, found mha_ffn, in which no "
            "channel counts"
        )
    attach_gates(encoder, units)
    follow(
        encoder,
        constraint,
        SCORES[scores](encoder, torch.Generator().manual_seed(seed)),
    )


@torch.no_grad()
def follow(encoder: Encoder, constraint: Constraint, scores: Scores) -> None:
    """Let the gates of an encoder keep the highest scores, in place.

    log_alpha becomes the rank among all units, so that the fix-up of the plan goes on
    in the same order, and ``kept`` the most units that meet all targets.
    """
    scores = {
        key: _keep_one(score) if key[0] == "conv" else score
        for key, score in scores.items()
    }
    flat = torch.cat(list(scores.values()))
    # ranks, not scores: float32 tells them apart also on top of OPEN
    order = flat.argsort(stable=True).argsort()
    ranks = dict(
        zip(scores, order.split([len(s) for s in scores.values()]), strict=True)
    )

    def met(num_closed: int) -> bool:
        plan = {key: rank >= num_closed for key, rank in ranks.items()}
        actual = constraint.sparsity(
            config_widths(planned_config(encoder.config, plan))
        )
        return all(float(actual[t]) >= goal for t, goal in constraint.targets.items())

    # sparsity grows with what is closed
    num_closed = bisect.bisect_left(range(int(flat.isfinite().sum())), True, key=met)
    for key, gate in find_gates(encoder).items():
        gate.log_alpha.copy_(OPEN + ranks[key] / len(flat))
        gate.kept = ranks[key] >= num_closed


def _keep_one(score: Tensor) -> Tensor:
    """Return the scores of a convolution, which keeps its best channel."""
    return score.index_fill(0, score.argmax(), torch.inf)


def _weights(encoder: Encoder, unit: str, layer: int) -> Iterable[Tensor]:
    """Return all weights that go with each unit of a gate."""
    if unit == "conv":
        return _channel_weights(encoder, layer)
    block = encoder.blocks[layer]
    assert isinstance(block, Block)
    if unit == "ffn":
        feed_forward = block.feed_forward.branch
        assert isinstance(feed_forward, FeedForward)
        up, down = feed_forward.up_proj.weight, feed_forward.down_proj.weight
        return torch.cat([up, down.T], 1)
    attention = block.attention.branch
    assert isinstance(attention, Attention)
    queries = torch.cat([attention.q_proj.weight, attention.k_proj.weight], 1)
    values = torch.cat([attention.v_proj.weight, attention.out_proj.weight.T], 1)
    if unit != "head":
        return queries if unit == "qk" else values
    heads = encoder.config.blocks[layer].heads
    return [
        torch.cat([qk.flatten(), vo.flatten()])
        for qk, vo in zip(
            queries.split([head.qk for head in heads]),
            values.split([head.vo for head in heads]),
            strict=True,
        )
    ]


def _channel_weights(encoder: Encoder, layer: int) -> Tensor:
    """Return the filter of each channel and what the next layer makes of it."""
    layers = list(encoder.feature_extractor.layers)
    conv = layers[layer]
    assert isinstance(conv, ConvLayer)
    if layer + 1 < len(layers):
        after = layers[layer + 1]
        assert isinstance(after, ConvLayer)
        reader = after.conv.weight.transpose(0, 1)
    else:
        reader = encoder.feature_projection.projection.weight.T
    return torch.cat([conv.conv.weight.flatten(1), reader.flatten(1)], 1)
