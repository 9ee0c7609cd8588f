"""Linear layers, convolutions, GELU and dropout, as fast as torch's kernels allow.

They compute what ``nn.Linear``, ``nn.Conv1d``, ``F.gelu`` and ``nn.Dropout`` compute,
and hold the same parameters.

In float32, torch multiplies matrices with MKL, which takes the AVX2 path on processors
that are not Intel's: half the speed of oneDNN's AVX-512 path, which torch uses for
convolutions and for bfloat16. Here float32 goes to oneDNN too, forwards and backwards.
Convolutions run on activations that lie in memory frame by frame.

Shapes: B batch, L frames, C channels, I input and O output features.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

# oneDNN makes a kernel for every new shape, in about half a millisecond; below this
# many multiply-accumulates a new length costs more than the faster kernel saves.
LEAST_MACS = 2**25


class Linear(nn.Linear):
    """``x W^T + b``; plain ``nn.Linear`` for all but float32 on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., I) to (..., O)."""
        if _is_float32_on_cpu(x) and x.numel() * self.out_features >= LEAST_MACS:
            return _OneDnnLinear.apply(x, self.weight, self.bias)
        return super().forward(x)


class Conv1d(nn.Conv1d):
    """Unpadded convolution of x (B, C, L) that lies in memory frame by frame.

    So do the result and the weight, which would otherwise be copied in every forward.
    The layout is known only to convolutions of images: x goes in as images of one row.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        taps_first = self.weight.detach().transpose(1, 2).contiguous()
        self.weight = nn.Parameter(taps_first.transpose(1, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, I, L) to (B, O, L')."""
        weight = self.weight[:, :, None].contiguous(memory_format=torch.channels_last)
        stride = (1, *self.stride)
        y = F.conv2d(x[:, :, None], weight, self.bias, stride, groups=self.groups)
        return y.squeeze(2)


def gelu(x: Tensor) -> Tensor:
    """Return the GELU of x, written over x where no gradient needs x."""
    return F.gelu(x) if x.requires_grad else torch.ops.aten.gelu_(x)


class Dropout(nn.Dropout):
    """Zeroes a share ``p`` of x in training; see :func:`dropout`."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x to its own shape."""
        return dropout(x, self.p if self.training else 0.0)


def dropout(x: Tensor, rate: float) -> Tensor:
    """Zero a share of x and scale the rest by ``1 / (1 - rate)``.

    On a CPU torch draws a number for every element, one after the other; with rates
    that are multiples of 2^-16 a draw of 64 bits serves four. Twice as fast, where
    dropout was a fifth of a fine-tuning.
    """
    if rate == 0 or not is_eager_on_cpu(x):
        return F.dropout(x, rate)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    levels = draws.view(torch.int16)[: x.numel()].view(x.shape)
    kept = levels >= round((rate - 0.5) * 2**16)
    return x * (kept.to(x.dtype) * (1 / (1 - rate)))


class _OneDnnLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        rows = grad.flatten(0, -2)
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        return (
            _product(grad, weight.t(), None) if needs_x else None,
            _product(rows.t(), x.flatten(0, -2).t(), None) if needs_weight else None,
            rows.sum(0) if needs_bias else None,
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``x weight^T + bias`` of x (..., I), weight (O, I), bias (O,)."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


def is_eager_on_cpu(x: Tensor) -> bool:
    """Say whether x is computed on a CPU right now, not traced or compiled."""
    return (
        x.device.type == "cpu"
        and not torch.jit.is_tracing()  # type: ignore[attr-defined]
        and not torch.compiler.is_compiling()
    )


def _is_float32_on_cpu(x: Tensor) -> bool:
    return (
        is_eager_on_cpu(x)
        and x.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.is_available()
    )
