"""Mean and spread over seeds, and whether two of them differ significantly."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Sequence

from scipy.stats import ttest_ind

SIGNIFICANCE = 0.05
"""What chance alone calls a difference: one comparison of twenty."""
BETTER, WORSE, NO_DIFFERENCE, UNTESTED = "better", "worse", "n.s.", ""
"""Verdicts, as cells of tables say them."""
IN_WORDS = {
    BETTER: "significantly better",
    WORSE: "significantly worse",
    NO_DIFFERENCE: "not significantly different",
    UNTESTED: "open, one seed cannot tell",
}
"""Verdicts, as sentences say them."""
CAPTION = (
    f"`{BETTER}`, `{WORSE}`: {IN_WORDS[BETTER]}, {IN_WORDS[WORSE]}; "
    f"`{NO_DIFFERENCE}`: {IN_WORDS[NO_DIFFERENCE]} (Welch's t-test, "
    f"p >= {SIGNIFICANCE})."
)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation; 0 of one value."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Write mean and sample standard deviation; of one value only itself."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {deviation(values):.{digits}f}"


def verdict(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Say whether our errors differ significantly from theirs: Welch's t-test.

    Returns:
        A key of ``IN_WORDS``; ``UNTESTED`` with a single seed on either side.
        ``NO_DIFFERENCE`` says that none was found, not that the two are equal.
    """
    if min(len(ours), len(theirs)) < 2:
        return UNTESTED
    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    # without any spread, which the test cannot do, every difference counts
    spreads = max(deviation(ours), deviation(theirs))
    with warnings.catch_warnings(action="ignore"):  # of one side without spread
        chance = ttest_ind(ours, theirs, equal_var=False).pvalue if spreads else 0.0
    if difference == 0 or chance >= SIGNIFICANCE:
        return NO_DIFFERENCE
    return BETTER if difference < 0 else WORSE
