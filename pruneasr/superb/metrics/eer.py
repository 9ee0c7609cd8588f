"""Equal error rate of verification: where misses are as frequent as false alarms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve


def equal_error_rate(targets: ArrayLike, scores: ArrayLike) -> float:
    """Return the equal error rate in percent.

    Between two thresholds the rates are joined by straight lines, as in s3prl.

    Args:
        targets: (num_trials,) whether a trial is a target trial.
        scores: (num_trials,) higher means more likely a target trial.

    Raises:
        ValueError: The trials are all of one kind.
    """
    targets = np.asarray(targets, dtype=bool)
    if targets.all() or not targets.any():
        raise ValueError(
            f"expected target and other trials, found {targets.sum()} target trials "
            f"among {targets.size}"
        )
    false_alarm, hit, _ = roc_curve(targets, scores, drop_intermediate=False)
    miss = 1 - hit
    # the difference rises from -1 (all missed) to 1 (all accepted)
    difference = false_alarm - miss
    after = int(np.argmax(difference >= 0))
    before = after - 1
    share = -difference[before] / (difference[after] - difference[before])
    rate = false_alarm[before] + share * (false_alarm[after] - false_alarm[before])
    return float(100 * rate)
