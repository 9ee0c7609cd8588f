"""Which targets are met; where one is missed, by how much and what bounds it.

The sentences about bounds are made of measured numbers: the parts of the time
(``bench.parts``) and of the training step (``bench.training``).
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pruneasr.bench.measure import Row
from pruneasr.bench.parts import NAMES, Parts
from pruneasr.bench.training import (
    BFLOAT16,
    PARTS,
    WITH,
    WITHOUT,
    StepTimes,
    slower,
)
from pruneasr.markdown import markdown_table

# A pruned model's MACs per second, as a share of the dense one's
LEAST_SHARE = 0.8
# Shape -> times as fast as torchaudio's dense model in float32, at least: [W23]'s own
# factors with and without the straight-through estimator are 1.99 and 1.35
LEAST_SPEED = {"w23": 1.9, "spread": 1.6, "conv": 4.0}
LEAST_DENSE_SPEED = 1.0
LEAST_BFLOAT16, LEAST_INT8 = 7.0, 6.0
# The training step with gates against without, DPHuBERT's coarser gates cost 1.03
MOST_GATES = 1.05
LEAST_BFLOAT16_STEP = 1.5
Rows = Mapping[str, Row]


@dataclasses.dataclass(frozen=True)
class Target:
    """A ratio that was wanted, the one that was found, and what bounds it."""

    what: str
    setting: str
    found: float
    limit: float
    bound: str
    at_most: bool = False

    @property
    def outcome(self) -> str:
        """Met, or missed by how much of the limit."""
        gap = (self.found - self.limit) / self.limit
        missed = gap if self.at_most else -gap
        return f"MISSED by {100 * missed:.1f} %" if missed > 0 else "met"


def targets_table(targets: Iterable[Target]) -> str:
    """Return a table of all targets and a sentence for each that is missed."""
    rows = []
    missed: dict[tuple[str, str], list[str]] = {}  # what and its bound -> settings
    for target in targets:
        sign = "<=" if target.at_most else ">="
        limit = f"{sign} {target.limit:g}"
        cells = [target.what, target.setting, f"{target.found:.2f}", limit]
        rows.append([*cells, target.outcome])
        if target.outcome != "met":
            missed.setdefault((target.what, target.bound), []).append(target.setting)
    table = markdown_table(["ratio", "setting", "found", "target", "outcome"], rows)
    if not missed:
        return table
    bounds = [
        f"- {what}, {'; '.join(settings)}: {bound}"
        for (what, bound), settings in missed.items()
    ]
    return "\n".join([table, "What bounds those that are missed:\n", *bounds, ""])


def by_name(rows: Sequence[Row]) -> dict[str, Row]:
    """Return rows by the names of their models."""
    return {row.name: row for row in rows}


def speed_targets(
    setting: str, rows: Rows, parts: Mapping[str, Parts]
) -> Iterator[Target]:
    """Yield how much faster than torchaudio's dense model each shape is."""
    base = rows["torchaudio"].median
    for name, least in LEAST_SPEED.items():
        part = parts[name]
        ideal = base / part.at_rates_of(parts["dense"])
        bound = (
            f"{_shares(part)}; at the dense model's MAC/s in every part, and with its "
            f"time for the rest, it would reach {ideal:.2f}"
        )
        found = rows[name].faster["torchaudio"]
        yield Target(f"{name} over torchaudio's dense", setting, found, least, bound)


def bfloat16_target(
    setting: str, base: float, conv: Row, parts: Parts, half: Parts
) -> Target:
    """Return how much faster ``conv`` in bfloat16 is than torchaudio in float32.

    Args:
        setting: of the row.
        base: seconds of torchaudio's dense model in float32.
        conv: the pruned model in bfloat16.
        parts: of it in float32.
        half: its parts in bfloat16.
    """
    gains = ", ".join(
        f"{name} {parts.seconds[name] / half.seconds[name]:.1f}" for name in NAMES
    )
    bound = f"bfloat16 makes its parts faster by {gains} times; {_shares(half)}"
    what = "conv over torchaudio's dense in float32"
    return Target(what, setting, base / conv.median, LEAST_BFLOAT16, bound)


def int8_target(setting: str, int8: Row, onnx: Row, parts: Parts) -> Target:
    """Return how much faster ``conv`` in int8 is than torchaudio in float32.

    Args:
        setting: of the int8 row.
        int8: the pruned model in int8, in the same rounds as torchaudio's dense one.
        onnx: the same in ONNX Runtime's float32.
        parts: of the pruned model in torch's float32.
    """
    convolutions = parts.seconds["convolutions"]
    bound = (
        "only the products of linear layers are in int8: ONNX Runtime takes "
        f"{_ms(onnx.median)} in float32 and {_ms(int8.median)} in int8, torch in "
        f"float32 {_ms(parts.total)}, of which the convolutions are {_ms(convolutions)}"
    )
    what = "conv over torchaudio's dense in float32"
    return Target(what, setting, int8.faster["torchaudio"], LEAST_INT8, bound)


def rate_targets(
    tables: Mapping[str, Rows], shapes: Iterable[str], parts: Mapping[str, Parts]
) -> Iterator[Target]:
    """Yield the least MAC/s of a pruned model against the dense one, by setting.

    Where torchaudio was measured beside them, also how the dense models compare.
    """
    dense = parts["dense"]
    for setting, rows in tables.items():
        rates = {name: rows[name].macs_per_sec for name in shapes}
        worst = min(rates, key=rates.__getitem__)
        part = parts[worst]
        conv = (part.conv_macs / part.seconds["convolutions"]) / (
            dense.conv_macs / dense.seconds["convolutions"]
        )
        blocks = (part.block_macs / part.block_seconds) / (
            dense.block_macs / dense.block_seconds
        )
        bound = (
            f"{worst} is the slowest; where its parts were timed, its convolutions run "
            f"at {_percent(conv)} of the dense model's MAC/s and its blocks at "
            f"{_percent(blocks)}; {_shares(part)}"
        )
        found = rates[worst] / rows["dense"].macs_per_sec
        yield Target("least MAC/s over dense", setting, found, LEAST_SHARE, bound)
        if "torchaudio" in rows:
            yield Target(
                "dense over torchaudio's dense",
                setting,
                rows["dense"].faster["torchaudio"],
                LEAST_DENSE_SPEED,
                f"where its parts were timed, {_shares(dense)}",
            )


def training_targets(setting: str, times: Mapping[str, StepTimes]) -> Iterator[Target]:
    """Yield what gates cost, and what bfloat16 gains."""
    plain, gated, half = times[WITHOUT], times[WITH], times[BFLOAT16]
    backward = gated.median("backward") - plain.median("backward")
    yield Target(
        "training step with gates over without",
        setting,
        slower(times, WITH, WITHOUT),
        MOST_GATES,
        f"gates take {_ms(gated.median('gates'))} forwards, and the backward pass "
        f"{_ms(backward)} more, of {_ms(statistics.median(plain.wholes))}",
        at_most=True,
    )
    gains = ", ".join(
        f"{part} {gated.median(part) / half.median(part):.1f}" for part in PARTS
    )
    yield Target(
        "training step in float32 over bfloat16",
        setting,
        slower(times, WITH, BFLOAT16),
        LEAST_BFLOAT16_STEP,
        f"by part it is faster by {gains} times; the optimiser, in float32 always, is "
        f"{_percent(half.median('optimiser') / statistics.median(half.wholes))} of it",
    )


def _shares(parts: Parts) -> str:
    """Say which part takes how much of the time."""
    shares = {name: seconds / parts.total for name, seconds in parts.seconds.items()}
    named = ", ".join(f"{name} {_percent(share)}" for name, share in shares.items())
    return f"of its time {named}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
