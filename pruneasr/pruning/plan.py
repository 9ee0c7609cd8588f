"""Which units stay: the gates' own rounding, then a fix-up that meets the target.

Every gate keeps as many units as it expects to, highest log_alpha first; a gate of one
unit is open from P(z > 0) = 0.5 on. The sum of these roundings misses the target by a
little, so single dimensions and channels are then closed or opened over all layers, in
the order of log_alpha, until the cost is the closest one not above the budget. Heads
and whole branches are closed for that only where nothing finer is left to close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pruneasr.encoder import BlockConfig, Encoder, EncoderConfig, HeadConfig
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.units import Gates, find_gates
from pruneasr.pruning.widths import config_widths

# Kept units by gate, boolean
Plan = dict[tuple[str, int], Tensor]

# What the fix-up may change to meet the budget of a term, finest first.
DIMENSIONS = ("qk", "vo", "ffn")
COARSE = (("head",), ("mha_layer", "ffn_layer"))
FIXABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "size": ((*DIMENSIONS, "conv"), *COARSE),
    "mac": ((*DIMENSIONS, "conv"), *COARSE),
    "mac_cnn": (("conv",),),
    "mac_transformer": (DIMENSIONS, *COARSE),
}


@torch.no_grad()
def plan_removal(encoder: Encoder, constraint: Constraint) -> Plan:
    """Return what to keep so that each term of the constraint meets its final target.

    Works as well as the units allow: within one dimension where dimensions or channels
    are gated, within one head where only heads are, within one branch where only those
    are.
    """
    gates = find_gates(encoder)
    plan = {key: gate.keep().clone() for key, gate in gates.items()}
    for (unit, _), keep in plan.items():
        if unit == "conv" and not keep.any():
            keep[0] = True  # a convolution keeps one channel
    for term in constraint.terms:
        pools = [
            pool for pool in FIXABLE[term] if any(unit in pool for unit, _ in gates)
        ]
        _fix(encoder.config, gates, plan, constraint, term, pools)
    return plan


def planned_config(config: EncoderConfig, plan: Plan) -> EncoderConfig:
    """Return the architecture that is left when a plan is carried out."""
    values = config.to_dict()
    for i in range(len(config.conv_layers)):
        if ("conv", i) in plan:
            values["conv_layers"][i]["channels"] = int(plan["conv", i].sum())
            values["channel_scale"] = True
    blocks = (_planned_block(b, i, plan) for i, b in enumerate(config.blocks))
    values["blocks"] = [
        {
            "attention": block.attention,
            "heads": [vars(head) for head in block.heads],
            "feed_forward": block.feed_forward,
            "ffn": block.ffn,
        }
        for block in blocks
    ]
    return EncoderConfig.from_dict(values)


def kept_values(block: BlockConfig, i: int, plan: Plan) -> Tensor:
    """Return which value dimensions of a block's packed heads stay, boolean."""
    total = sum(head.vo for head in block.heads)
    if ("head", i) in plan:
        widths = torch.tensor([head.vo for head in block.heads])
        return plan["head", i].cpu().repeat_interleave(widths)
    if ("vo", i) in plan:
        return plan["vo", i].cpu()
    return torch.ones(total, dtype=torch.bool)


def kept_queries(block: BlockConfig, i: int, plan: Plan) -> Tensor:
    """Return which query dimensions stay: those kept in heads that keep values."""
    total = sum(head.qk for head in block.heads)
    keep = plan[("qk", i)].cpu() if ("qk", i) in plan else torch.ones(total).bool()
    values = kept_values(block, i, plan).split([head.vo for head in block.heads])
    lives = torch.tensor([bool(part.any()) for part in values])
    return keep & lives.repeat_interleave(torch.tensor([h.qk for h in block.heads]))


def _planned_block(block: BlockConfig, i: int, plan: Plan) -> BlockConfig:
    attention = block.attention and bool(
        plan.get(("mha_layer", i), torch.ones(1)).all()
    )
    feed_forward = block.feed_forward and bool(
        plan.get(("ffn_layer", i), torch.ones(1)).all()
    )
    heads = []
    if attention and block.heads:
        queries = kept_queries(block, i, plan).split([h.qk for h in block.heads])
        values = kept_values(block, i, plan).split([h.vo for h in block.heads])
        for head, qk, vo in zip(block.heads, queries, values, strict=True):
            if vo.any():
                heads.append(HeadConfig(head.index, int(qk.sum()), int(vo.sum())))
    ffn = int(plan["ffn", i].sum()) if ("ffn", i) in plan else block.ffn
    return BlockConfig(
        attention, tuple(heads), feed_forward, ffn if feed_forward else 0
    )


def _fix(
    config: EncoderConfig,
    gates: Gates,
    plan: Plan,
    constraint: Constraint,
    term: str,
    pools: list[tuple[str, ...]],
) -> None:
    """Close, then open units until the cost is just within the budget."""
    budget = (1 - constraint.targets[term]) * float(constraint.dense[term])

    def cost() -> float:
        widths = config_widths(planned_config(config, plan))
        return float(constraint.costs(widths)[term])

    for pool in pools:
        closing = sorted(_candidates(config, gates, plan, pool, kept=True))
        _flip_until(plan, closing, lambda: cost() <= budget)
    for pool in pools[:1]:
        opening = sorted(_candidates(config, gates, plan, pool, kept=False))[::-1]
        flipped = _flip_until(plan, opening, lambda: cost() > budget)
        if flipped and cost() > budget:  # the last one was too much
            _flip(plan, opening[flipped - 1 : flipped])


Candidate = tuple[float, str, int, int]  # log_alpha, unit, layer, position


def _candidates(
    config: EncoderConfig, gates: Gates, plan: Plan, pool: tuple[str, ...], kept: bool
) -> Iterator[Candidate]:
    """Yield units of the pool that are kept (or not) and whose flip changes the cost.

    Nothing in a closed branch or in a head without values is opened, and the best
    channel of a convolution is never closed.
    """
    for (unit, layer), gate in gates.items():
        if unit not in pool:
            continue
        eligible = plan[unit, layer] == kept
        if unit == "conv":
            eligible[gate.log_alpha.argmax()] &= not kept
        else:
            eligible &= _living(config.blocks[layer], unit, layer, plan).to(
                eligible.device
            )
        for position in eligible.nonzero().flatten().tolist():
            yield float(gate.log_alpha[position]), unit, layer, position


def _living(block: BlockConfig, unit: str, layer: int, plan: Plan) -> Tensor:
    """Return which units of a gate stand in a living branch and head, boolean."""
    if unit in ("mha_layer", "ffn_layer"):
        return torch.tensor([True])
    gate = "ffn_layer" if unit == "ffn" else "mha_layer"
    open_branch = bool(plan.get((gate, layer), torch.ones(1)).all())
    if unit in ("ffn", "head"):
        return torch.tensor([open_branch])
    values = kept_values(block, layer, plan).split([head.vo for head in block.heads])
    widths = [head.vo if unit == "vo" else head.qk for head in block.heads]
    return torch.cat(
        [
            torch.full((width,), open_branch and bool(part.any()))
            for width, part in zip(widths, values, strict=True)
        ]
    )


def _flip(plan: Plan, candidates: list[Candidate]) -> None:
    for _, unit, layer, position in candidates:
        plan[unit, layer][position] ^= True


def _flip_until(
    plan: Plan, candidates: list[Candidate], done: Callable[[], bool]
) -> int:
    """Flip the fewest candidates, in order, that make ``done()`` true; all if none do.

    The cost is monotone in the number flipped, so bisection finds it.
    """
    if done():
        return 0
    low, high = 0, len(candidates)  # not done at low
    flipped = 0
    while high - low > 1:
        middle = (low + high) // 2
        _flip(plan, candidates[min(flipped, middle) : max(flipped, middle)])
        flipped = middle
        low, high = (low, middle) if done() else (middle, high)
    _flip(plan, candidates[min(flipped, high) : max(flipped, high)])
    return high
