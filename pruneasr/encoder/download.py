"""Files of models on the Hugging Face Hub, through its own library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def snapshot(name: str, patterns: Sequence[str], **options: Any) -> Path:
    """Fetch those files of a model that match a pattern; return their folder.

    Args:
        name: id of the model, such as ``microsoft/wavlm-base-plus``.
        patterns: of the file names.
        options: of ``huggingface_hub.snapshot_download``: revision, cache_dir, ...

    Raises:
        ValueError: if the library is not installed, or the Hub does not have the model
            or cannot be reached.
    """
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError:
        raise ValueError(
            f"{name} is not on disk, and models of the Hugging Face Hub need its "
            "library: pip install 'huggingface_hub>=1'"
        ) from None
    try:
        return Path(snapshot_download(name, allow_patterns=list(patterns), **options))
    except (OSError, ValueError) as error:  # its own errors are among these
        raise ValueError(
            f"{name} is not on disk, and the Hugging Face Hub did not give it: {error}"
        ) from None
