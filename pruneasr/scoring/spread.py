"""Mean and spread over seeds, and whether two of them differ by more than chance."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Sequence

from scipy.stats import ttest_ind

SIGNIFICANCE = 0.05
"""What chance alone calls a difference: one comparison of twenty."""
EQUAL = (
    "`equal`: chance alone makes such a difference in more than 5 % (Welch's t-test)."
)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation; 0 of one value."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Write mean and sample standard deviation; of one value only itself."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {deviation(values):.{digits}f}"


def verdict(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Say whether our errors differ from theirs by more than chance: Welch's t-test.

    With a single seed on either side nobody can tell: an empty string.
    """
    if min(len(ours), len(theirs)) < 2:
        return ""
    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    # without any spread, which the test cannot do, every difference counts
    spreads = max(deviation(ours), deviation(theirs))
    with warnings.catch_warnings(action="ignore"):  # of one side without spread
        chance = ttest_ind(ours, theirs, equal_var=False).pvalue if spreads else 0.0
    if difference == 0 or chance >= SIGNIFICANCE:
        return "equal"
    return "better" if difference < 0 else "worse"
