"""QbE: nothing is trained; the best hidden state is chosen on the development set.

Each dimension is scaled to zero mean and unit variance over all frames of a set, and
the scores of a query over its documents likewise, so that one threshold fits all
queries (s3prl, downstream/quesst14_dtw).

Each layer leaves its metrics in ``layer<number>.json``: a search that is stopped goes
on with the layer it was at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    frames = {
        name: store.read_layer(name, layer).float().numpy()
        for name in [*queries, *documents]
    }
    _normalize(frames)
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
    output.mkdir(parents=True, exist_ok=True)
    tried = [
        _try_layer(store, dev, layer, output / f"layer{layer}.json")
        for layer in range(store.shape.num_layers)
    ]
    result = {"task": "qbe", "tried": tried, "chosen": best_of("qbe", tried)}
    write_atomic(output / "search.json", json.dumps(result, indent=1) + "\n")
    return result


def _try_layer(
    store: FeatureStore, dev: Path, layer: int, path: Path
) -> dict[str, Any]:
    """Return the metrics of a layer, from its file if it was tried before."""
    if not path.exists():
        metrics = evaluate_qbe(dev, search_queries(store, dev, layer))
        print(f"layer {layer}: dev {metrics}", flush=True)
        write_atomic(path, json.dumps({"layer": layer, "dev": metrics}) + "\n")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _normalize(frames: Mapping[str, Matrix]) -> None:
    """Scale all frames in place, for they fill much of the memory."""
    count = sum(map(len, frames.values()))
    mean = sum(m.sum(0, dtype=np.float64) for m in frames.values()) / count
    for matrix in frames.values():
        matrix -= mean
    squares = sum(np.square(m).sum(0, dtype=np.float64) for m in frames.values())
    std = np.maximum(np.sqrt(squares / count), 1e-9)
    for matrix in frames.values():
        matrix /= std


def _scores(
    query: Matrix, documents: dict[str, set[str]], frames: dict[str, Matrix]
) -> Matrix:
    """Return the score of each document, with mean 0 and variance 1."""
    if len(query) < MIN_QUERY_FRAMES:
        return np.zeros(len(documents), np.float32)
    scores = np.array([match_score(query, frames[name]) for name in documents])
    return (scores - scores.mean()) / max(float(scores.std()), 1e-9)
