"""What the processes of a data-parallel training tell each other.

In a single process every function returns what it is given. All processes must call a
function together; each must therefore run forward passes as often as the others, which
ESPnet's trainer sees to.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def rank() -> int:
    """Return the number of this process, 0 for the first."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def num_processes() -> int:
    """Return how many there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def wait_for_all() -> None:
    """Go on when all have come so far."""
    if distributed.is_initialized():
        distributed.barrier()


def largest(number: int) -> int:
    """Return the largest number of all processes."""
    if not distributed.is_initialized():
        return number
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    shared = torch.tensor(number, device=device)
    distributed.all_reduce(shared, distributed.ReduceOp.MAX)
    return int(shared)


def of_all(value: Any) -> list[Any]:
    """Return the values of all processes, by rank; any that pickle can copy."""
    values = [value] * num_processes()
    if distributed.is_initialized():
        distributed.all_gather_object(values, value)
    return values


def of_first(tensor: Tensor) -> Tensor:
    """Return the first process's values, of the same shape in all."""
    if distributed.is_initialized():
        distributed.broadcast(tensor, src=0)
    return tensor


def weighted_mean(values: Tensor, weight: float) -> Tensor:
    """Return the mean over all processes of values of any shape, by their weight."""
    if not distributed.is_initialized():
        return values
    total = torch.cat([values.flatten() * weight, values.new_tensor([weight])])
    distributed.all_reduce(total)
    return (total[:-1] / total[-1]).view_as(values)
