"""What a training by ESPnet keeps of its epochs: the state in its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

CHECKPOINT = "checkpoint.pth"


def load_checkpoint(training: Path) -> dict[str, Any]:
    """Return the state of a training after its last epoch, on the CPU.

    Args:
        training: its output directory.

    Raises:
        ValueError: if it has left none.
    """
    path = training / CHECKPOINT
    if not path.exists():
        raise ValueError(f"expected {path}, which a training leaves; run it again")
    # weights_only=False: the reporter's state is made of ESPnet's own classes, and the
    # file is one that this project wrote
    return dict(torch.load(path, map_location="cpu", weights_only=False))


def read_epochs(training: Path) -> list[dict[str, dict[str, Any]]]:
    """Return the statistics of every epoch, the first one first.

    Args:
        training: its output directory.

    Returns:
        Phase, as ``train`` and ``valid``, -> name -> value.

    Raises:
        ValueError: if the training has left no checkpoint.
    """
    stats = load_checkpoint(training)["reporter"]["stats"]
    return [stats[epoch] for epoch in sorted(stats)]
