r"""Maximum term-weighted value of query-by-example search.

    TWV(t) = 1 - mean over queries of (P_miss(q, t) + beta P_fa(q, t))
    beta   = C_fa / C_miss (1 / P_target - 1)

MTWV is the largest TWV over one threshold t for all queries. P_miss is the share of a
query's documents that score below t, P_fa the share of its other documents that do not
(Rodriguez-Fuentes and Penagarikano 2013, *MediaEval 2013 Spoken Web Search Task: System
Performance Measures*). QUESST 2014, SUPERB's task, takes P_target = 0.0008, C_fa = 1
and C_miss = 100 (Anguera et al. 2014), so beta = 12.49. Queries that occur nowhere, or
everywhere, are left out, for one of their rates has no meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

P_TARGET, COST_FALSE_ALARM, COST_MISS = 0.0008, 1.0, 100.0
BETA = COST_FALSE_ALARM / COST_MISS * (1 / P_TARGET - 1)

Trials = Sequence[tuple[float, bool]]


def maximum_term_weighted_value(trials: Mapping[str, Trials]) -> float:
    """Return the MTWV; 1 is perfect, 0 is what saying nothing gives.

    Args:
        trials: For every query its documents: score (higher means found) and whether
            the query occurs there.

    Raises:
        ValueError: No query has both documents with it and documents without.
    """
    scores, steps = [], []
    for documents in trials.values():
        num_targets = sum(target for _, target in documents)
        num_others = len(documents) - num_targets
        if num_targets == 0 or num_others == 0:
            continue
        # what accepting a document adds to the value of its query
        gain = {True: 1 / num_targets, False: -BETA / num_others}
        steps.append([gain[target] for _, target in documents])
        scores.append([score for score, _ in documents])
    if not steps:
        raise ValueError(
            "expected queries with documents that hold them and others, found none "
            f"among {len(trials)} queries"
        )
    all_scores, all_steps = np.concatenate(scores), np.concatenate(steps) / len(steps)
    order = np.argsort(-all_scores, kind="stable")
    values = np.cumsum(all_steps[order])
    # equal scores are accepted together
    is_last = np.append(np.diff(all_scores[order]) != 0, True)
    return float(max(0.0, values[is_last].max()))
