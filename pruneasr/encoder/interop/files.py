"""Reads the weight files of others without running anything that is inside them.

safetensors holds tensors only. Pickles (``.pt``, ``.pth``, ``.bin``) are read with
torch's restricted unpickler; of the classes it does not know, two are admitted, both as
plain data.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


class _Record:
    """Stands in for a class that is not needed: only its attributes are kept."""


# What published fairseq checkpoints contain: their options, and the label dictionaries
# of HuBERT, which are not used here.
ALLOWED: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    argparse.Namespace,
    (_Record, "fairseq.data.dictionary.Dictionary"),
]


def read_pickle(path: Path) -> dict[str, Any]:
    """Read one dictionary that was written by ``torch.save``.

    Raises:
        ValueError: if it is damaged, holds classes beyond the admitted ones, or is not
            a dictionary.
    """
    try:
        with torch.serialization.safe_globals(ALLOWED):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own message advises to read it unrestrictedly
        named = re.findall(r"GLOBAL ([\w.]+)", str(error))
        raise ValueError(
            f"{path} is no checkpoint, is damaged, or needs what is not admitted, "
            f"because loading it could run code: {' '.join(named) or 'unknown'}. A "
            "safetensors file is given by its directory; a pointer of Git LFS becomes "
            "the file by git lfs pull"
        ) from None
    except (RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"{path} is damaged ({error}); copy it again") from None
    if not isinstance(content, dict):
        raise ValueError(
            f"{path}: expected a dictionary, found {type(content).__name__}"
        )
    return content


def file_digests(paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their names."""
    digests = {}
    for path in paths:
        with path.open("rb") as file:
            digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def tensor_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return one SHA-256 over names, types, shapes and values, ordered by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
