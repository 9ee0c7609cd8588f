"""One feature out of all hidden states.

    feature = sum over k of softmax(w)_k * hidden state k

The weights w start equal and are learned (Yang et al. 2021, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class WeightedSum(nn.Module):
    """A convex combination of the hidden states; of one there is nothing to learn."""

    def __init__(self, num_states: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(num_states)) if num_states > 1 else None

    def forward(self, hidden_states: Sequence[Tensor]) -> Tensor:
        """Map hidden states, each (B, L, D), to (B, L, D)."""
        if self.weights is None:
            return hidden_states[-1]
        shares = self.weights.softmax(0).to(hidden_states[0].dtype)
        mixture = shares[0] * hidden_states[0]
        for share, hidden_state in zip(shares[1:], hidden_states[1:], strict=True):
            mixture = mixture + share * hidden_state
        return mixture
