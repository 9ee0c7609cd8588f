"""Which utterances make a batch, and their features.

The order of an epoch follows from the seed and the epoch alone, so that a training that
is stopped goes on with the batch that would have come.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from pruneasr.superb.features import FeatureStore

Item = TypeVar("Item")
Result = TypeVar("Result")


def one_ahead(
    function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Yield the function of each item; a thread works on the next one meanwhile.

    Reading features takes as long as a small head does with them, so neither waits for
    the other. A thread and no process: a batch of a Base model has a gigabyte, more
    than containers commonly let processes share.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        ready: Future[Result] | None = None
        for item in items:
            following = thread.submit(function, item)
            if ready is not None:
                yield ready.result()
            ready = following
        if ready is not None:
            yield ready.result()


def mixed_seed(purpose: str, seed: int, number: int) -> int:
    """Return a seed for one purpose and number.

    torch's generator on the CPU reads 32 bits of its seed, so two numbers cannot simply
    stand side by side in it.
    """
    digest = hashlib.sha256(f"{purpose} {seed} {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def names_of_step(
    texts: Mapping[str, str], step: int, *, batch_size: int, seed: int, balanced: bool
) -> list[str]:
    """Return the utterances of one update.

    Args:
        texts: Utterance -> label.
        step: Update, from 0.
        batch_size: How many; the last batch of an epoch may have fewer.
        seed: Of the order.
        balanced: Draw with replacement, every label equally often.
    """
    names = list(texts)
    epoch, number = divmod(step, -(-len(names) // batch_size))
    generator = torch.Generator().manual_seed(mixed_seed("order", seed, epoch))
    if balanced:
        counts = Counter(texts.values())
        weights = torch.tensor([1 / counts[texts[name]] for name in names])
        order = torch.multinomial(weights, len(names), True, generator=generator)
    else:
        order = torch.randperm(len(names), generator=generator)
    chosen = order[number * batch_size : (number + 1) * batch_size]
    return [names[i] for i in chosen.tolist()]


def load_batch(
    store: FeatureStore,
    names: Sequence[str],
    *,
    device: str = "cpu",
    max_frames: int | None = None,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return padded features (B, S, L, D) float32 and their lengths (B,).

    Args:
        store: Where they lie.
        names: B utterances.
        device: Where they go.
        max_frames: Cut longer ones at a random place.
        seed: Of these places.
    """
    features = [store.read(name) for name in names]
    if max_frames is not None:
        generator = torch.Generator().manual_seed(seed)
        features = [_cut(states, max_frames, generator) for states in features]
    lengths = torch.tensor([states.size(1) for states in features])
    num_layers, _, dim = features[0].shape
    batch = torch.zeros(len(names), num_layers, int(lengths.max()), dim)
    for row, states in zip(batch, features, strict=True):
        row[:, : states.size(1)] = states
    return batch.to(device), lengths.to(device)


def _cut(states: Tensor, max_frames: int, generator: torch.Generator) -> Tensor:
    spare = states.size(1) - max_frames
    if spare <= 0:
        return states
    start = int(torch.randint(spare + 1, (), generator=generator))
    return states[:, start : start + max_frames]


def batches_by_length(
    store: FeatureStore, names: Sequence[str], *, batch_size: int, device: str
) -> Iterator[tuple[list[str], Tensor, Tensor]]:
    """Yield all utterances once, similar lengths together, with their features."""
    lengths = {name: store.num_frames(name) for name in names}
    ordered = sorted(names, key=lengths.__getitem__)

    def load(start: int) -> tuple[list[str], Tensor, Tensor]:
        part = ordered[start : start + batch_size]
        return part, *load_batch(store, part, device=device)

    yield from one_ahead(load, range(0, len(ordered), batch_size))
