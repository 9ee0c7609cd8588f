"""The search for a learning rate: every one trained, the best on dev counts.

``search.json`` beside the trainings says what was tried and which one counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruneasr.files import write_atomic
from pruneasr.superb.config import Training
from pruneasr.superb.evaluate import read_texts
from pruneasr.superb.tasks import TASKS
from pruneasr.superb.train import Sets, best_of, new_probe, predict, train


def search(
    task: str,
    sets: Sets,
    output: Path,
    *,
    sizes: Mapping[str, Any],
    training: Training,
    seed: int,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train with every learning rate and write down which is best on dev.

    Args:
        task: Key of ``TASKS``.
        sets: Data.
        output: Receives ``lr<rate>`` folders and ``search.json``.
        sizes: Arguments of the head.
        training: How.
        seed: Of weights, order and dropout.
        device: Where the head is trained.

    Returns:
        What search.json holds.

    Raises:
        ValueError: Features are missing, or no learning rate led anywhere.
    """
    for data in (sets.train, sets.dev):
        sets.store.check(read_texts(data))
    if not any(output.glob("lr*/state.pt")):  # resumed: the first call has looked
        _look(task, sets, sizes, device)
    tried = []
    for rate in training.learning_rates:
        best = train(
            task,
            sets,
            output / f"lr{rate:g}",
            sizes=sizes,
            training=training,
            learning_rate=rate,
            seed=seed,
            device=device,
        )
        tried.append({"learning_rate": rate, **(best or {"dev": None})})
    chosen = best_of(task, tried)
    result = {"task": task, "seed": seed, "tried": tried, "chosen": chosen}
    write_atomic(output / "search.json", json.dumps(result, indent=1) + "\n")
    if (edge := edge_of(result)) is not None:
        print(f"{output}: warning: the best learning rate is the {edge} that was tried")
    return result


def edge_of(result: Mapping[str, Any]) -> str | None:
    """Say at which edge of its grid a search ended, where a better rate may lie beyond.

    Args:
        result: What search.json holds.

    Returns:
        ``largest``, ``smallest`` or, of a single one, ``only``; None within the grid. A
        rate that diverged was tried too.
    """
    rates = {entry["learning_rate"] for entry in result["tried"]}
    chosen = result["chosen"]["learning_rate"]
    if len(rates) == 1:
        return "only"
    return {max(rates): "largest", min(rates): "smallest"}.get(chosen)


def _look(task: str, sets: Sets, sizes: Mapping[str, Any], device: str) -> None:
    """Score an untrained head: a broken set is found now and not hours later."""
    texts = list(read_texts(sets.train).values())
    probe = new_probe(task, sets.store.shape, texts, sizes, seed=0)
    predictions = predict(probe.to(device), sets.store, list(read_texts(sets.dev)))
    TASKS[task].evaluate(sets.dev, predictions)
