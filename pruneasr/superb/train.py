"""Train a probe: AdamW on frozen features, the best checkpoint on dev kept.

For each learning rate of the search there is a folder ``lr<rate>`` with

    state.pt            where a stopped training goes on: weights, optimiser, history
    best.safetensors    the weights that were best on the development set
    probe.json          all that is needed to build the head again

A resumed training ends with the same weights as one that was never stopped: batches and
dropout depend on the seed and the step only.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pruneasr.encoder.checkpoint import load_strictly
from pruneasr.files import whole, write_atomic
from pruneasr.superb.batches import (
    batches_by_length,
    load_batch,
    mixed_seed,
    names_of_step,
    one_ahead,
)
from pruneasr.superb.config import Training
from pruneasr.superb.evaluate import read_texts
from pruneasr.superb.features import FeatureShape, FeatureStore
from pruneasr.superb.probes.probe import Probe
from pruneasr.superb.tasks import TASKS


@dataclasses.dataclass(frozen=True)
class Sets:
    """What a probe is trained on and judged by: data directories and features."""

    store: FeatureStore
    train: Path
    dev: Path


def best_of(task: str, tried: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the entry whose ``dev`` metrics are best; of equal ones the first.

    Raises:
        ValueError: None has any.
    """
    best: dict[str, Any] | None = None
    for entry in tried:
        if entry["dev"] is None:
            continue
        value = next(iter(entry["dev"].values()))
        if best is None or TASKS[task].better(value, next(iter(best["dev"].values()))):
            best = entry
    if best is None:
        raise ValueError(f"{task}: every training diverged: lower the learning_rates")
    return best


def train(
    task: str,
    sets: Sets,
    output: Path,
    *,
    sizes: Mapping[str, Any],
    training: Training,
    learning_rate: float,
    seed: int,
    device: str = "cpu",
) -> dict[str, Any] | None:
    """Train one probe, or go on where it was stopped.

    Returns:
        ``step`` and ``dev`` of the best checkpoint; None if the loss was no number
        before the first look at the development set.

    Raises:
        ValueError: The folder holds a training with other options.
    """
    texts, dev_names = read_texts(sets.train), list(read_texts(sets.dev))
    probe = new_probe(task, sets.store.shape, list(texts.values()), sizes, seed)
    probe.to(device)
    optimizer = torch.optim.AdamW(
        probe.parameters(), lr=learning_rate, weight_decay=training.weight_decay
    )
    output.mkdir(parents=True, exist_ok=True)
    options = _options(probe, sizes, training, learning_rate, seed)
    history: list[dict[str, Any]] = []
    step = _resume(output / "state.pt", probe, optimizer, options, history)
    steps = range(step, training.steps)
    batches = _batches(sets.store, texts, training, steps, seed=seed, device=device)
    while step < training.steps:
        loss = 0.0
        for batch in itertools.islice(batches, training.eval_steps):
            loss += _update(probe, optimizer, batch, training) / training.eval_steps
            step += 1
        if not torch.isfinite(torch.tensor(loss)):
            print(f"{output.name}: the loss is {loss} before step {step}; given up")
            break
        predictions = predict(probe, sets.store, dev_names)
        dev = TASKS[task].evaluate(sets.dev, predictions)
        print(f"{output.name} step {step}: loss {loss:.4f}, dev {dev}", flush=True)
        history.append({"step": step, "loss": loss, "dev": dev})
        if best_of(task, history) is history[-1]:
            save_probe(probe, task, sizes, output)
        state = {"step": step, "history": history, "options": options}
        _save(output / "state.pt", probe, optimizer, state)
    return best_of(task, history) if history else None


def new_probe(
    task: str,
    shape: FeatureShape,
    texts: list[str],
    sizes: Mapping[str, Any],
    seed: int,
) -> Probe:
    """Return the untrained head of a task; its weights depend on the seed only."""
    head = TASKS[task].probe
    assert head is not None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return head(shape, head.learn_vocabulary(texts), **sizes)


class _Batch(NamedTuple):
    """What an update needs: B utterances, and the seed of its dropout."""

    features: Tensor
    lengths: Tensor
    texts: list[str]
    seed: int


def _batches(
    store: FeatureStore,
    texts: Mapping[str, str],
    training: Training,
    steps: range,
    *,
    seed: int,
    device: str,
) -> Iterator[_Batch]:
    """Yield the batches of some updates."""

    def load(step: int) -> _Batch:
        names = names_of_step(
            texts,
            step,
            batch_size=training.batch_size,
            seed=seed,
            balanced=training.balanced,
        )
        drawn = mixed_seed("cuts and dropout", seed, step)
        features, lengths = load_batch(
            store, names, device=device, max_frames=training.max_frames, seed=drawn
        )
        return _Batch(features, lengths, [texts[name] for name in names], drawn)

    return one_ahead(load, steps)


def _update(
    probe: Probe,
    optimizer: torch.optim.Optimizer,
    batch: _Batch,
    training: Training,
) -> float:
    """Make one update and return its loss."""
    torch.manual_seed(batch.seed)
    probe.train()
    loss = probe.loss(batch.features, batch.lengths, batch.texts)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(probe.parameters(), training.clip)
    optimizer.step()
    return float(loss.detach())


@torch.inference_mode()
def predict(
    probe: Probe, store: FeatureStore, names: list[str], batch_size: int = 32
) -> dict[str, str]:
    """Return the prediction for each utterance."""
    probe.eval()
    device = str(next(probe.parameters()).device)
    predictions: dict[str, str] = {}
    for part, features, lengths in batches_by_length(
        store, names, batch_size=batch_size, device=device
    ):
        texts = probe.predict(features, lengths)
        predictions |= dict(zip(part, texts, strict=True))
    return predictions


def save_probe(probe: Probe, task: str, sizes: Mapping[str, Any], folder: Path) -> None:
    """Write best.safetensors and probe.json."""
    description = {
        "task": task,
        "shape": dataclasses.asdict(probe.shape),
        "vocabulary": probe.vocabulary,
        "sizes": dict(sizes),
    }
    write_atomic(folder / "probe.json", json.dumps(description, indent=1) + "\n")
    tensors = {name: t.contiguous().cpu() for name, t in probe.state_dict().items()}
    with whole(folder / "best.safetensors") as partial:
        save_file(tensors, partial)


def load_probe(folder: Path) -> Probe:
    """Return the best head of a training.

    Raises:
        ValueError: The files do not fit together.
    """
    description = json.loads((folder / "probe.json").read_text(encoding="utf-8"))
    head = TASKS[description["task"]].probe
    assert head is not None
    shape = FeatureShape(**description["shape"])
    probe = head(shape, description["vocabulary"], **description["sizes"])
    load_strictly(probe, load_file(folder / "best.safetensors"), str(folder))
    return probe


def _options(
    probe: Probe,
    sizes: Mapping[str, Any],
    training: Training,
    learning_rate: float,
    seed: int,
) -> dict[str, Any]:
    """Return what a resumed training must have in common with its beginning."""
    options = dataclasses.asdict(training)
    del options["steps"], options["learning_rates"]
    head = {"sizes": dict(sizes), "vocabulary": probe.vocabulary}
    return {**options, **head, "learning_rate": learning_rate, "seed": seed}


def _resume(
    path: Path,
    probe: Probe,
    optimizer: torch.optim.Optimizer,
    options: Mapping[str, Any],
    history: list[dict[str, Any]],
) -> int:
    """Load what an earlier run saved into the arguments; return the next step."""
    if not path.exists():
        return 0
    # on the CPU, for it may have been saved on a GPU that this machine lacks
    state = torch.load(path, weights_only=True, map_location="cpu")
    others = [name for name in options if state["options"].get(name) != options[name]]
    if others:
        raise ValueError(
            f"{path} was trained with other {' and '.join(others)}; give the same, or "
            f"remove {path.parent}"
        )
    load_strictly(probe, state["probe"], str(path))
    optimizer.load_state_dict(state["optimizer"])
    history += state["history"]
    return int(state["step"])


def _save(
    path: Path,
    probe: Probe,
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
) -> None:
    tensors = {"probe": probe.state_dict(), "optimizer": optimizer.state_dict()}
    with whole(path) as partial:
        torch.save({**tensors, **state}, partial)
