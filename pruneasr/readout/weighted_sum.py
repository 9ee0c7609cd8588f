"""One feature out of all hidden states.

    feature = sum over k of softmax(w)_k * hidden state k

The weights w start equal and are learned (Yang et al. 2021, section 3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WeightedSum(nn.Module):
    """A convex combination of the hidden states."""

    def __init__(self, num_layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(num_layers))

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (B, K, L, D) to (B, L, D)."""
        return torch.einsum("k,bkld->bld", self.weights.softmax(0), hidden_states)
