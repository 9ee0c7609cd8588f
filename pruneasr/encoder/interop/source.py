"""Finds out what a source is and hands it to the file that reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pruneasr.encoder.checkpoint import (
    CONFIG_NAME,
    WEIGHTS_NAME,
    load_encoder,
    load_metadata,
)
from pruneasr.encoder.download import snapshot
from pruneasr.encoder.interop.dphubert import import_dphubert
from pruneasr.encoder.interop.fairseq import import_fairseq
from pruneasr.encoder.interop.files import file_digests, read_pickle
from pruneasr.encoder.interop.huggingface import import_huggingface
from pruneasr.encoder.interop.tables import Imported
from pruneasr.encoder.interop.torchaudio import import_bundle, is_bundle_name

KINDS = (
    "a directory of Hugging Face or pruneasr, a checkpoint file (.pt, .pth) of WavLM, "
    "fairseq or DPHuBERT, a torchaudio bundle such as WAVLM_BASE, or a Hugging Face id "
    "such as microsoft/wavlm-base-plus"
)


CONFIGS = (CONFIG_NAME, "preprocessor_config.json", "processor_config.json")


def import_encoder(source: str) -> Imported:
    """Make an encoder of any supported source.

    Args:
        source: what is on disk under this name; else a torchaudio bundle or an id on
            the Hugging Face hub, which are downloaded by their own libraries.

    Raises:
        ValueError: if the source is none of these, is damaged, or does not fit.
    """
    path = Path(source)
    if path.is_dir():
        return _import_directory(path, source)
    if path.is_file():
        return _import_file(path, source)
    if is_bundle_name(source):
        return import_bundle(source)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        return _import_directory(download(source), source)
    raise ValueError(f"expected {KINDS}; found {source!r}, which does not exist")


def download(name: str) -> Path:
    """Fetch a model from the Hugging Face hub: its configs and one kind of weights.

    Raises:
        ValueError: if the hub does not have it or cannot be reached.
    """
    path = snapshot(name, [*CONFIGS, "model*.safetensors"])
    if not any(path.glob("model*.safetensors")):
        path = snapshot(name, [*CONFIGS, "pytorch_model*.bin"])
    return path


def _import_directory(path: Path, source: str) -> Imported:
    try:
        config: dict[str, Any] = json.loads((path / CONFIG_NAME).read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"expected {KINDS}; {source} is a directory without {CONFIG_NAME}"
        ) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path / CONFIG_NAME} is not valid JSON: {error}") from None
    if "schema_version" not in config:
        return import_huggingface(path, source)
    encoder = load_encoder(path).eval()
    provenance = {
        "source": source,
        "format": "pruneasr",
        "sha256": file_digests([path / WEIGHTS_NAME]),
        "provenance": load_metadata(path)["provenance"],
    }
    return Imported(encoder, (), provenance)


def _import_file(path: Path, source: str) -> Imported:
    content = read_pickle(path)
    if {"state_dict", "config"} <= set(content):
        return import_dphubert(content, path, source)
    if "model" in content and (content.get("cfg") or content.get("args")):
        return import_fairseq(content, path, source)
    raise ValueError(
        f"{source}: expected a checkpoint with 'model' and 'cfg' (WavLM, fairseq), "
        "'model' and 'args' (older fairseq), or 'state_dict' and 'config' (DPHuBERT); "
        f"found {sorted(map(str, content))}"
    )
