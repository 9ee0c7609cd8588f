"""Autocast of a forward pass on any device, and a word where it costs time."""

from __future__ import annotations

import contextlib
import functools
import logging
from contextlib import AbstractContextManager

import torch

X86_BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Any of these multiplies bfloat16; without them it goes by way of float32."""


def check_autocast(dtype: str | None) -> None:
    """Refuse all but bfloat16 and None.

    Raises:
        ValueError: if it is another type.
    """
    if dtype not in (None, "bfloat16"):
        raise ValueError(f"autocast must be bfloat16 or null; found {dtype}")


def autocast(device_type: str, dtype: str | None) -> AbstractContextManager[object]:
    """Return a context that computes in ``dtype``, or for None changes nothing.

    Nor does it where a device without bfloat16 instructions trains nothing: what a GPU
    has trained is decoded faster, and no less exactly, in float32.
    """
    if dtype is None or not (torch.is_grad_enabled() or has_bfloat16(device_type)):
        return contextlib.nullcontext()
    warn_if_slow(device_type, dtype)
    return torch.autocast(device_type, getattr(torch, dtype))


@functools.cache
def warn_if_slow(device_type: str, dtype: str) -> None:
    """Say once that the device computes faster without autocast."""
    if dtype == "bfloat16" and not has_bfloat16(device_type):
        logging.warning(
            "this %s has no bfloat16 instructions, which makes autocast slower than "
            "float32: give --autocast none to trainings of encoders, --frontend_conf "
            "autocast=null to those of tasks",
            device_type,
        )


def has_bfloat16(device_type: str) -> bool:
    """Tell whether a kind of device multiplies bfloat16 itself, as far as is known."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    if device_type != "cpu" or capabilities["architecture"] != "x86_64":
        return True
    return any(capabilities[name] for name in X86_BFLOAT16)
