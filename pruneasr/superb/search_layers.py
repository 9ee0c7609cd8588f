"""QbE: nothing is trained; the best hidden state is chosen on the development set.

Each dimension is scaled to zero mean and unit variance over all frames of a set, and
the scores of a query over its documents likewise, so that one threshold fits all
queries (s3prl, downstream/quesst14_dtw).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pruneasr.files import write_atomic
from pruneasr.superb.evaluate import evaluate_qbe, read_queries
from pruneasr.superb.features import FeatureStore
from pruneasr.superb.metrics.dtw import MIN_QUERY_FRAMES, Matrix, match_score
from pruneasr.superb.train import best_of


def search_queries(store: FeatureStore, data: Path, layer: int) -> dict[str, str]:
    """Return ``document:score ...`` for each query.

    Args:
        store: Features of queries and documents.
        data: Data directory with ``queries``.
        layer: Hidden state to compare by.

    Raises:
        ValueError: The layer does not exist, or features are missing.
    """
    if not 0 <= layer < store.shape.num_layers:
        raise ValueError(
            f"expected a layer from 0 to {store.shape.num_layers - 1}, found {layer}"
        )
    queries, documents = read_queries(data)
    frames = _normalized(
        {
            name: store.read_layer(name, layer).float().numpy()
            for name in [*queries, *documents]
        }
    )
    return {
        query: " ".join(
            f"{name}:{score:.4f}"
            for name, score in zip(
                documents, _scores(frames[query], documents, frames), strict=True
            )
        )
        for query in queries
    }


def search_layers(store: FeatureStore, dev: Path, output: Path) -> dict[str, Any]:
    """Try every hidden state on the development set and write search.json.

    Returns:
        What search.json holds.
    """
    tried = []
    for layer in range(store.shape.num_layers):
        metrics = evaluate_qbe(dev, search_queries(store, dev, layer))
        print(f"layer {layer}: dev {metrics}", flush=True)
        tried.append({"layer": layer, "dev": metrics})
    result = {"task": "qbe", "tried": tried, "chosen": best_of("qbe", tried)}
    output.mkdir(parents=True, exist_ok=True)
    write_atomic(output / "search.json", json.dumps(result, indent=1) + "\n")
    return result


def _normalized(frames: dict[str, Matrix]) -> dict[str, Matrix]:
    together = np.concatenate(list(frames.values()))
    mean, std = together.mean(0), np.maximum(together.std(0), 1e-9)
    return {name: (matrix - mean) / std for name, matrix in frames.items()}


def _scores(
    query: Matrix, documents: dict[str, set[str]], frames: dict[str, Matrix]
) -> Matrix:
    """Return the score of each document, with mean 0 and variance 1."""
    if len(query) < MIN_QUERY_FRAMES:
        return np.zeros(len(documents), np.float32)
    scores = np.array([match_score(query, frames[name]) for name in documents])
    return (scores - scores.mean()) / max(float(scores.std()), 1e-9)
