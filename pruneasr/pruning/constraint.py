"""The budget as a Lagrangian whose multipliers ascend (Wang et al. 2020; [W23] Eq. 5).

    L = lambda1 (p^ - p) + lambda2 (p^ - p)^2       one pair of multipliers per term

p^ is the expected sparsity, p the scheduled target: linear from 0 over the warm-up,
then constant ([W23] section 3.1). Sparsity is 1 - cost / cost of the dense model.

    kind      term          cost
    size      size          parameters; ``denominator`` mha_ffn [W23] or whole [P23]
    mac       mac           multiply-accumulates of the whole encoder [P23]
    sep_mac   mac_cnn       multiply-accumulates of the convolutions [P23]
              mac_transformer   those of all the rest
    latency   latency       milliseconds, as measured on one machine
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from pruneasr import SAMPLE_RATE
from pruneasr.encoder import EncoderConfig
from pruneasr.pruning.cost import Cost, macs, parameters
from pruneasr.pruning.latency import LatencyTable, latency
from pruneasr.pruning.widths import Number, Widths, config_widths, floor_widths

TERMS = {
    "size": ("size",),
    "mac": ("mac",),
    "sep_mac": ("mac_cnn", "mac_transformer"),
    "latency": ("latency",),
}
DENOMINATORS = ("mha_ffn", "whole")
PART: dict[str, Callable[[Cost], Number]] = {
    "mac": lambda cost: cost.total,
    "mac_cnn": lambda cost: cost.cnn,
    "mac_transformer": lambda cost: cost.transformer,
}


class Constraint(nn.Module):
    """Target, schedule and multipliers."""

    def __init__(
        self,
        config: EncoderConfig,
        units: Iterable[str],
        *,
        target: float | Mapping[str, float] | None = None,
        warmup_steps: int,
        kind: str = "size",
        denominator: str = "mha_ffn",
        reference_sec: float = 10.0,
        latency_table: LatencyTable | None = None,
    ) -> None:
        """Constrain a gated encoder.

        Args:
            config: the dense encoder's.
            units: what is gated; only to tell which targets can be reached.
            target: final sparsity, for ``sep_mac`` one of ``mac_cnn`` and one of
                ``mac_transformer``.
            warmup_steps: optimiser steps from sparsity 0 to the target.
            kind: ``size``, ``mac``, ``sep_mac`` or ``latency``.
            denominator: which parameters ``size`` counts.
            reference_sec: length of the utterance whose MACs count.
            latency_table: for ``latency`` and no other, measured on this encoder by
                ``pruneasr.bin.latency``; it says itself how long its utterance is.

        Raises:
            ValueError: if an option is unknown, a target is missing, it cannot be
                reached with these units (the message says how far they go), the
                utterance is too short, or the table is missing, broken or another
                encoder's.
        """
        super().__init__()
        if kind not in TERMS or denominator not in DENOMINATORS:
            raise ValueError(
                f"expected kind out of {sorted(TERMS)} and denominator out of "
                f"{DENOMINATORS}; found {kind} and {denominator}"
            )
        if (kind == "latency") != (latency_table is not None):
            raise ValueError(
                "expected a latency_table with kind latency and with no other; found "
                f"kind {kind} and {'no' if latency_table is None else 'a'} table. "
                "Measure one with python -m pruneasr.bin.latency"
            )
        if latency_table is not None:
            latency_table.check(config)
        length = reference_sec * SAMPLE_RATE
        if not config.receptive_field <= length < math.inf:
            raise ValueError(
                "expected a finite reference_sec of at least one frame, "
                f"{config.receptive_field / SAMPLE_RATE} s; found {reference_sec}"
            )
        self.config = config
        self.kind = kind
        self.table = latency_table
        self.denominator = denominator
        self.reference_sec = reference_sec
        self.warmup_steps = warmup_steps
        self.terms = TERMS[kind]
        self.targets = _targets(self.terms, target)
        self.dense = self.costs(config_widths(config))
        self._check_reachable(tuple(units))
        self.lambda1 = nn.Parameter(torch.zeros(len(self.terms)))
        self.lambda2 = nn.Parameter(torch.zeros(len(self.terms)))

    def costs(self, widths: Widths) -> dict[str, Number]:
        """Return the constrained cost of each term."""
        if self.table is not None:
            return {"latency": latency(self.table, widths).total}
        if self.kind == "size":
            cost = parameters(self.config, widths)
            whole = self.denominator == "whole"
            return {"size": cost.total if whole else cost.mha_ffn}
        cost = macs(self.config, widths, self.reference_sec)
        return {term: PART[term](cost) for term in self.terms}

    def sparsity(self, widths: Widths) -> dict[str, Number]:
        """Return ``1 - cost / dense cost`` of each term."""
        costs = self.costs(widths)
        return {term: 1 - costs[term] / self.dense[term] for term in self.terms}

    def scheduled(self, step: int) -> dict[str, float]:
        """Return the target of each term at an optimiser step."""
        share = min(1.0, step / self.warmup_steps) if self.warmup_steps else 1.0
        return {term: share * target for term, target in self.targets.items()}

    def forward(self, widths: Widths, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the Lagrangian term of the loss and what to log.

        Args:
            widths: expected widths, differentiable.
            step: optimiser steps done.
        """
        expected = self.sparsity(widths)
        scheduled = self.scheduled(step)
        loss = self.lambda1.new_zeros(())
        stats: dict[str, Tensor] = {}
        for i, term in enumerate(self.terms):
            gap = expected[term] - scheduled[term]
            loss = loss + self.lambda1[i] * gap + self.lambda2[i] * gap**2
            stats[f"expected_sparsity_{term}"] = torch.as_tensor(
                expected[term]
            ).detach()
            stats[f"target_sparsity_{term}"] = loss.new_tensor(scheduled[term])
            stats[f"lambda1_{term}"] = self.lambda1[i].detach().clone()
            stats[f"lambda2_{term}"] = self.lambda2[i].detach().clone()
        return loss, stats

    def _check_reachable(self, units: tuple[str, ...]) -> None:
        reachable = self.sparsity(floor_widths(self.config, units))
        for term, target in self.targets.items():
            if not 0 <= target <= float(reachable[term]):
                raise ValueError(
                    f"target sparsity {target} of {term} cannot be reached: gates on "
                    f"{', '.join(units)} leave at least "
                    f"{1 - float(reachable[term]):.4f} of it, so the target must be "
                    f"from 0 to {float(reachable[term]):.4f}. Lower it or gate more"
                )


def _targets(
    terms: tuple[str, ...], target: float | Mapping[str, float] | None
) -> dict[str, float]:
    by_term = {} if target is None else target
    if not isinstance(by_term, Mapping):
        by_term = {terms[0]: by_term}
    if set(by_term) != set(terms):
        raise ValueError(
            f"expected one target sparsity for each of {terms}; found {target}"
        )
    return {term: float(by_term[term]) for term in terms}
