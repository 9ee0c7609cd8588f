"""An encoder as a directory: ``config.json`` and ``model.safetensors``.

The JSON says what to build and where it came from; the tensors fill it. Nothing is
pickled, and loading is strict: a missing, extra or misshapen tensor is an error.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pruneasr import __version__
from pruneasr.encoder.config import EncoderConfig
from pruneasr.encoder.model import Encoder
from pruneasr.files import whole, write_atomic

SCHEMA_VERSION = 1
CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"


def save_encoder(
    encoder: Encoder,
    directory: str | os.PathLike[str],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write an encoder to a directory, creating it.

    Args:
        encoder: what to save; its slots must be empty.
        directory: where to; files of an earlier save are replaced, config last, so that
            a directory with a config is complete.
        provenance: free JSON facts (teacher, command, sparsity, ...).

    Raises:
        ValueError: if there are gates, or the tensors are not those of the
            architecture, so that they could not be loaded again.
    """
    if not encoder.slots_are_empty():
        raise ValueError(
            "expected an encoder without gates; remove what they close first"
        )
    path = Path(directory)
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in encoder.state_dict().items()
    }
    with torch.device("meta"):
        wanted = Encoder(encoder.config).state_dict()
    # compiled, cut off or adapted: they have other names
    _require_fit(tensors, wanted, "the encoder to save")
    path.mkdir(parents=True, exist_ok=True)
    (path / CONFIG_NAME).unlink(missing_ok=True)
    with whole(path / WEIGHTS_NAME) as partial:
        save_file(tensors, partial)
    content = {
        "schema_version": SCHEMA_VERSION,
        "pruneasr_version": __version__,
        "encoder": encoder.config.to_dict(),
        "provenance": dict(provenance or {}),
    }
    write_atomic(path / CONFIG_NAME, json.dumps(content, indent=1) + "\n")


def load_encoder(
    directory: str | os.PathLike[str], *, dropout: float | None = None
) -> Encoder:
    """Build the encoder that a directory describes and fill it.

    Args:
        directory: as ``save_encoder`` writes it.
        dropout: rate in place of that of the checkpoint.

    Raises:
        ValueError: if a file is missing or damaged, the schema version is unknown, or
            the tensors are not exactly those of the architecture.
    """
    config = load_config(directory)
    if dropout is not None:
        config = dataclasses.replace(config, dropout=dropout)
    encoder = Encoder(config)
    load_strictly(encoder, load_weights(directory), str(directory))
    return encoder


def load_config(directory: str | os.PathLike[str]) -> EncoderConfig:
    """Read the architecture only."""
    return EncoderConfig.from_dict(load_metadata(directory)["encoder"])


def load_metadata(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """Read ``config.json``, refusing versions written by a later pruneasr."""
    path = Path(directory) / CONFIG_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"expected an encoder directory with {CONFIG_NAME} and {WEIGHTS_NAME}; "
            f"{path} does not exist"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected an object, found {content!r}")
    found = content.get("schema_version")
    if found != SCHEMA_VERSION:
        raise ValueError(
            f"{path}: expected schema_version {SCHEMA_VERSION}, found {found}; "
            "update pruneasr or convert the encoder again"
        )
    if not isinstance(content.get("encoder"), dict):
        raise ValueError(f"{path}: expected the architecture in `encoder`, found none")
    content.setdefault("provenance", {})
    return content


def load_weights(directory: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the tensors only."""
    return read_safetensors(Path(directory) / WEIGHTS_NAME)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read one file of tensors.

    Raises:
        ValueError: if it is missing or damaged.
    """
    try:
        return load_file(path)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{path} does not exist; convert or copy it again") from None
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); copy it again") from None


def load_strictly(
    module: nn.Module, tensors: Mapping[str, Tensor], source: str
) -> None:
    """Copy tensors into a module, which must want exactly these.

    Raises:
        ValueError: naming what is missing, extra or of another shape.
    """
    _require_fit(tensors, module.state_dict(), source)
    with torch.no_grad():
        module.load_state_dict(tensors)


def _require_fit(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str
) -> None:
    missing = sorted(set(wanted) - set(tensors))
    extra = sorted(set(tensors) - set(wanted))
    misshapen = [
        f"{name}: expected {tuple(wanted[name].shape)}, found {tuple(tensor.shape)}"
        for name, tensor in tensors.items()
        if name in wanted and wanted[name].shape != tensor.shape
    ]
    if missing or extra or misshapen:
        raise ValueError(
            f"{source} does not fit the architecture. Missing: {missing}. "
            f"Extra: {extra}. Shapes: {misshapen}"
        )
