"""Mean and spread over seeds, and whether two of them differ by more than chance."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

# Two standard errors of a difference: what chance does in one comparison of twenty
STANDARD_ERRORS = 2.0


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation; 0 of one value."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Write mean and sample standard deviation; of one value only itself."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {deviation(values):.{digits}f}"


def verdict(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Say whether our errors differ from theirs by more than chance.

    With a single seed on either side nobody can tell: an empty string.
    """
    if min(len(ours), len(theirs)) < 2:
        return ""
    variance = sum(statistics.variance(v) / len(v) for v in (ours, theirs))
    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    if abs(difference) <= STANDARD_ERRORS * math.sqrt(variance):
        return "equal"
    return "better" if difference < 0 else "worse"
