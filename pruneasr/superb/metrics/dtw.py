"""How well a spoken query fits somewhere into a document: subsequence DTW.

s3prl's setting for QUESST 2014 (downstream/quesst14_dtw): frames are compared by
exp(cosine distance) - 1, each query frame's distances are scaled to 0..1 over the
document, and the path takes one query frame per step while the document advances by 0,
1 or 2 frames. It begins and ends anywhere in the document; its cost is divided by the
number of query frames. A row of the path matrix depends on the row above only, so each
row is computed at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_QUERY_FRAMES = 5
"""Shorter queries match everywhere, so s3prl gives them no scores."""

Matrix = NDArray[np.float32]


def cosine_exp_distance(query: Matrix, document: Matrix) -> Matrix:
    """Return exp(1 - cosine) - 1 of all pairs of frames.

    Args:
        query: (M, D).
        document: (N, D).

    Returns:
        (M, N), 0 where two frames have the same direction.
    """
    return np.expm1(1 - _unit(query) @ _unit(document).T)


def scale_rows(distance: Matrix) -> Matrix:
    """Scale every row of (M, N) to 0..1; a constant row becomes 0."""
    low = distance.min(axis=1, keepdims=True)
    width = distance.max(axis=1, keepdims=True) - low
    return (distance - low) / np.maximum(width, 1e-9)


def subsequence_cost(distance: Matrix) -> float:
    """Return the cost of the best path per query frame.

    Args:
        distance: (M, N) of query frames and document frames.

    Raises:
        ValueError: The query or the document is empty.
    """
    if 0 in distance.shape:
        raise ValueError(f"expected frames on both sides, found {distance.shape}")
    cost = distance[0].copy()
    for row in distance[1:]:
        best = cost.copy()
        np.minimum(best[1:], cost[:-1], out=best[1:])
        np.minimum(best[2:], cost[:-2], out=best[2:])
        cost = best + row
    return float(cost.min()) / len(distance)


def match_score(query: Matrix, document: Matrix) -> float:
    """Return how well a query (M, D) fits into a document (N, D); higher is better."""
    return -subsequence_cost(scale_rows(cosine_exp_distance(query, document)))


def _unit(frames: Matrix) -> Matrix:
    norm = np.linalg.norm(frames, axis=1, keepdims=True)
    return frames / np.maximum(norm, 1e-9)
