"""Hard concrete gates with and without the straight-through estimator.

Louizos et al. 2018, section 2; [W23] Eq. 1, 2 and 4:

    s     = sigmoid((log u - log(1 - u) + log_alpha) / beta),   u ~ U(0, 1)
    s_bar = s (zeta - gamma) + gamma
    z     = clamp(s_bar, 0, 1)

[W23] Eq. 2 as printed divides only the noise by beta, and then no gate could fall below
a density of about 19 %; this is the form of Louizos et al.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

BETA = 2 / 3  # temperature; Louizos et al. 2018, section 4
GAMMA, ZETA = -0.1, 1.1  # stretch, ibid. and [W23] section 2.2
INITIAL_LOG_ALPHA = math.log(0.99 / 0.01)  # gates start 99 % open
# A gate at the limit is open or closed with 99.8 %. With the straight-through estimator
# nothing else keeps log_alpha from drifting without bound.
LOG_ALPHA_LIMIT = math.log(100.0)
# Sharpens the value of a kept unit after training (Wang et al. 2020, section 3)
EVALUATION_SHARPNESS = 0.8


class StraightThroughClamp(torch.autograd.Function):
    """Clamp to [0, 1] whose gradient passes everywhere, itself clipped to [-1, 1].

    [W23] Eq. 4. The clip sees the gradient as it comes: under float16 that includes the
    loss scale (use bfloat16 or float32), and under data parallelism it acts in every
    process before the average. The result then depends on the number of processes, but
    only where a gradient is beyond the limit; elsewhere the clip does nothing.
    """

    @staticmethod
    def forward(ctx: Any, s_bar: Tensor) -> Tensor:
        """Clamp."""
        return s_bar.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Pass the clipped gradient."""
        return grads[0].clamp(-1.0, 1.0)


class HardConcrete(nn.Module):
    """One gate per unit of a group; multiplies what comes in.

    ``draw`` sets the values ``z`` that ``forward`` uses until the next draw, so that
    all places that depend on a gate see the same values within one forward pass. In
    training mode they are samples; in evaluation mode kept units have a fixed value and
    the others are 0.
    """

    z: Tensor
    repeats: Tensor | None

    def __init__(
        self,
        unit: str,
        layer: int,
        size: int,
        *,
        ste: bool,
        trailing_dims: int = 0,
        repeats: Tensor | None = None,
    ) -> None:
        """Make an almost open gate.

        Args:
            unit: kind of what is gated, e.g. ``ffn``.
            layer: index of its convolution or block.
            size: number of units.
            ste: use the straight-through estimator.
            trailing_dims: dimensions behind the gated one in the input.
            repeats: (size,) entries of the gated dimension that share one unit (heads).
        """
        super().__init__()
        self.unit = unit
        self.layer = layer
        self.ste = ste
        self.trailing_dims = trailing_dims
        self.log_alpha = nn.Parameter(torch.full((size,), INITIAL_LOG_ALPHA))
        self.register_buffer("repeats", repeats, persistent=False)
        self.kept: Tensor | None = None
        self.draw()

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the gated dimension of x by the values of the last draw."""
        z = self.expand(self.z).to(x.dtype)
        return x * z.view(-1, *(1,) * self.trailing_dims)

    def draw(self, noise: Tensor | None = None) -> None:
        """Sample new values (training) or set the fixed ones (evaluation).

        Args:
            noise: (size,) what to sample with, from :meth:`noise`; None draws it.
        """
        if self.training:
            self.z = self._sample(self.noise() if noise is None else noise)
        else:
            self.z = self.value() * self.keep()

    def noise(self) -> Tensor:
        """Return u ~ U(0, 1) of every unit (size,), far enough from 0 and 1."""
        # eps keeps the logarithms finite
        eps = torch.finfo(self.log_alpha.dtype).eps
        return torch.empty_like(self.log_alpha).uniform_(eps, 1 - eps)

    def expand(self, units: Tensor) -> Tensor:
        """Repeat one entry per unit to one entry per gated dimension."""
        return units if self.repeats is None else units.repeat_interleave(self.repeats)

    def probability(self) -> Tensor:
        """Return P(z > 0) of every unit (size,)."""
        return torch.sigmoid(self.log_alpha - BETA * math.log(-GAMMA / ZETA))

    def value(self) -> Tensor:
        """Return the value that every unit has in evaluation if it is kept (size,)."""
        return torch.sigmoid(EVALUATION_SHARPNESS / BETA * self.log_alpha)

    def keep(self) -> Tensor:
        """Return which units are kept in evaluation (size,), boolean.

        Those set in ``kept``; else the expected number of them, highest first.
        """
        if self.kept is not None:
            return self.kept
        number = int(self.probability().sum() + 0.5)
        keep = torch.zeros_like(self.log_alpha, dtype=torch.bool)
        keep[self.log_alpha.topk(number).indices] = True
        return keep

    @torch.no_grad()
    def clamp_(self) -> None:
        """Bring log_alpha back within its limits; call after each optimiser step."""
        self.log_alpha.clamp_(-LOG_ALPHA_LIMIT, LOG_ALPHA_LIMIT)

    def _sample(self, u: Tensor) -> Tensor:
        s = torch.sigmoid((u.logit() + self.log_alpha) / BETA)
        s_bar = s * (ZETA - GAMMA) + GAMMA
        if self.ste:
            return StraightThroughClamp.apply(s_bar)
        return s_bar.clamp(0.0, 1.0)
