"""Which units stay: the gates' own rounding, then a fix-up that meets the target.

Every gate keeps as many units as it expects to, highest log_alpha first; a gate of one
unit is open from P(z > 0) = 0.5 on. The sum of these roundings misses the target by a
little, so single dimensions and channels are then closed or opened over all layers, in
the order of log_alpha, until the cost is the closest one not above the budget. Heads
and whole branches are closed or opened for that only where nothing finer is left to.

With ``multiple_of`` n, each gate of dimensions or channels keeps a multiple of n, in
attention over all living heads of the block: these are the widths of the matrices that
are multiplied (within the attention product heads are padded anyway). The gates' own
rounding goes down to such a multiple, and the fix-up moves bundles of n units that are
next to each other in their gate's order, by the bundles' mean log_alpha.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from pruneasr.encoder import Encoder, EncoderConfig
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.planned import Plan, kept_values, planned_config
from pruneasr.pruning.units import Gates, find_gates
from pruneasr.pruning.widths import config_widths

# What the fix-up may change to meet the budget of a term, finest first.
DIMENSIONS = ("qk", "vo", "ffn")
SINGLE = (*DIMENSIONS, "conv")
COARSE = (("head",), ("mha_layer", "ffn_layer"))
FIXABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "size": (SINGLE, *COARSE),
    "mac": (SINGLE, *COARSE),
    "mac_cnn": (("conv",),),
    "mac_transformer": (DIMENSIONS, *COARSE),
    "latency": (SINGLE, *COARSE),
}
# Sparsity that may stay between target and plan where smaller units could fill it
TOLERANCE = 1e-3


@torch.no_grad()
def plan_removal(
    encoder: Encoder, constraint: Constraint, multiple_of: int = 1
) -> Plan:
    """Return what to keep so that each term of the constraint meets its final target.

    Works as well as the units allow: within one dimension where dimensions or channels
    are gated, within one head where only heads are, within one branch where only those
    are.

    Args:
        encoder: with gates.
        constraint: its targets and its cost.
        multiple_of: number whose multiples the kept widths are to be.

    Raises:
        ValueError: if multiples of more than 1 are asked for and a gate is too small
            for them, or they miss a target by more than 0.1 %.
    """
    gates = find_gates(encoder)
    plan = {key: gate.keep().clone() for key, gate in gates.items()}
    draft = Draft(encoder.config, gates, plan, multiple_of)
    draft.align()
    for term in constraint.terms:
        _fix(draft, constraint, term, _pools(constraint, term, gates))
    if multiple_of > 1:
        _check_targets(draft, constraint)
    return plan


def _pools(constraint: Constraint, term: str, gates: Gates) -> list[tuple[str, ...]]:
    """Return gated units whose number changes a term, finest first."""
    counted = FIXABLE[term]
    if term == "size" and constraint.denominator == "mha_ffn":
        counted = (DIMENSIONS, *COARSE)  # channels are free, and stay as they learned
    return [pool for pool in counted if any(unit in pool for unit, _ in gates)]


Bundle = tuple[float, str, int, tuple[int, ...]]  # log_alpha, unit, layer, positions


@dataclasses.dataclass(frozen=True)
class Draft:
    """A plan that is changed in place until it is right."""

    config: EncoderConfig
    gates: Gates
    plan: Plan
    multiple_of: int

    def __post_init__(self) -> None:
        small = [
            f"{unit} {layer}"
            for (unit, layer), gate in self.gates.items()
            if unit in SINGLE and len(gate.log_alpha) < self.multiple_of
        ]
        if self.multiple_of < 1 or small:
            raise ValueError(
                "expected multiple_of from 1 to the size of the smallest gate; found "
                f"{self.multiple_of}, and these gates are smaller: {', '.join(small)}"
            )

    def cost(self, constraint: Constraint, term: str) -> float:
        """Return a cost of what is left."""
        widths = config_widths(planned_config(self.config, self.plan))
        return float(constraint.costs(widths)[term])

    def align(self) -> None:
        """Round what each gate keeps down to a multiple.

        Never to 0 where that cannot be taken back: channels, and the last values of a
        block.
        """
        # values before queries, which count only in heads that keep values
        for unit in ("conv", "vo", "ffn", "qk"):
            for (kind, layer), gate in self.gates.items():
                if kind != unit:
                    continue
                keep = self.plan[unit, layer]
                kept = self.ranked(unit, layer, kept=True)
                number = len(kept)
                wanted = number - number % self.multiple_of
                if unit == "conv" or (unit == "vo" and number):
                    wanted = max(wanted, self.multiple_of)
                keep[kept[: max(0, number - wanted)]] = False
                scores = gate.log_alpha.masked_fill(keep, -torch.inf)
                keep[scores.topk(max(0, wanted - number)).indices] = True

    def bundles(self, pool: tuple[str, ...], kept: bool) -> list[Bundle]:
        """Return bundles of the pool that are kept (or not), the next to flip first.

        The last bundle of a convolution is never closed.
        """
        found: list[Bundle] = []
        for (unit, layer), gate in self.gates.items():
            if unit not in pool:
                continue
            size = self.multiple_of if unit in SINGLE else 1
            scores = gate.log_alpha.tolist()
            ranked = self.ranked(unit, layer, kept)
            if not kept:
                ranked.reverse()
            elif unit == "conv":
                ranked = ranked[:-size]
            for i in range(0, len(ranked) - size + 1, size):
                positions = tuple(ranked[i : i + size])
                mean = sum(scores[k] for k in positions) / size
                found.append((mean, unit, layer, positions))
        return sorted(found, reverse=not kept)

    def ranked(self, unit: str, layer: int, kept: bool) -> list[int]:
        """Return units that are kept (or not), lowest log_alpha first.

        Only those whose flip changes the cost: nothing in a closed branch or in a head
        without values.
        """
        mask = self.plan[unit, layer] == kept
        mask &= self._living(unit, layer).to(mask.device)
        scores = self.gates[unit, layer].log_alpha.tolist()
        return sorted(mask.nonzero().flatten().tolist(), key=lambda i: (scores[i], i))

    def _living(self, unit: str, layer: int) -> Tensor:
        """Return which units of a gate stand in a living branch and head, boolean."""
        if unit in ("conv", "mha_layer", "ffn_layer"):
            return torch.tensor([True])
        gate = "ffn_layer" if unit == "ffn" else "mha_layer"
        open_branch = bool(self.plan.get((gate, layer), torch.ones(1)).all())
        if unit in ("ffn", "head"):
            return torch.tensor([open_branch])
        block = self.config.blocks[layer]
        values = kept_values(block, layer, self.plan)
        widths = [head.vo if unit == "vo" else head.qk for head in block.heads]
        return torch.cat(
            [
                torch.full((width,), open_branch and bool(part.any()))
                for width, part in zip(
                    widths, values.split([head.vo for head in block.heads]), strict=True
                )
            ]
        )


def _fix(
    draft: Draft, constraint: Constraint, term: str, pools: list[tuple[str, ...]]
) -> None:
    """Close, then open units until the cost is just within the budget."""
    dense = float(constraint.dense[term])
    budget = (1 - constraint.targets[term]) * dense

    def room() -> float:
        return budget - draft.cost(constraint, term)

    if not pools:
        return  # no unit of this term has a gate
    for pool in pools:
        _close(draft, pool, room)
    slack = TOLERANCE * dense
    _open(draft, pools[0], room, slack)
    for pool in pools[1:]:
        if room() <= slack or draft.bundles(pools[0], kept=False):
            return
        before = {key: keep.clone() for key, keep in draft.plan.items()}
        opening = draft.bundles(pool, kept=False)
        opened = _flip_until(draft.plan, opening, lambda: room() < 0)
        _close(draft, pools[0], room)  # give back what the last one was too large for
        if room() < 0:
            draft.plan.update(before)
            _flip(draft.plan, opening[: opened - 1])
        _open(draft, pools[0], room, slack)


def _close(draft: Draft, pool: tuple[str, ...], room: Callable[[], float]) -> None:
    """Close units of a pool until the cost is within the budget."""
    _flip_until(draft.plan, draft.bundles(pool, kept=True), lambda: room() >= 0)
    draft.align()  # of queries, where heads are gone


def _open(
    draft: Draft, pool: tuple[str, ...], room: Callable[[], float], slack: float
) -> None:
    """Open units of a pool until the cost is within ``slack`` below the budget."""
    opening = draft.bundles(pool, kept=False)
    while opening:
        flipped = _flip_until(draft.plan, opening, lambda: room() < 0)
        if not flipped or room() >= 0:
            return
        too_much = opening[flipped - 1]
        _flip(draft.plan, [too_much])
        if room() <= slack:
            return
        # others of this gate are as large
        opening = [b for b in opening[flipped:] if b[1:3] != too_much[1:3]]


def _check_targets(draft: Draft, constraint: Constraint) -> None:
    for term, target in constraint.targets.items():
        actual = 1 - draft.cost(constraint, term) / float(constraint.dense[term])
        if abs(actual - target) > TOLERANCE:
            raise ValueError(
                f"widths that are multiples of {draft.multiple_of} leave a sparsity of "
                f"{term} of {actual:.4f}, more than {TOLERANCE} off the target "
                f"{target}; lower multiple_of, or train with finer units"
            )


def _flip(plan: Plan, bundles: list[Bundle]) -> None:
    chosen: dict[tuple[str, int], list[int]] = {}
    for _, unit, layer, positions in bundles:
        chosen.setdefault((unit, layer), []).extend(positions)
    for key, flipped in chosen.items():
        plan[key][flipped] ^= True


def _flip_until(plan: Plan, bundles: list[Bundle], done: Callable[[], bool]) -> int:
    """Flip the fewest bundles, in order, that make ``done()`` true; all if none do.

    The cost is monotone in the number flipped, so bisection finds it.
    """
    if done():
        return 0
    low, high = 0, len(bundles)  # not done at low
    flipped = 0
    while high - low > 1:
        middle = (low + high) // 2
        _flip(plan, bundles[min(flipped, middle) : max(flipped, middle)])
        flipped = middle
        low, high = (low, middle) if done() else (middle, high)
    _flip(plan, bundles[min(flipped, high) : max(flipped, high)])
    return high
