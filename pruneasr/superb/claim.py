"""Whose results a folder holds: one encoder's."""

from __future__ import annotations

import json
from pathlib import Path

from pruneasr.encoder import load_encoder
from pruneasr.encoder.checkpoint import WEIGHTS_NAME
from pruneasr.encoder.initialize import count_parameters
from pruneasr.encoder.interop.files import file_digests
from pruneasr.files import write_atomic
from pruneasr.superb.runs import the_config_dir


def claim_folder(encoder: Path, folder: Path, config_dir: Path) -> None:
    """Note in a folder that it holds the results of an encoder.

    Args:
        encoder: Its directory.
        folder: Of its results, beside those of the encoders it is compared with.
        config_dir: By which its probes are to be trained.

    Raises:
        ValueError: There is no such encoder, the folder holds results of other
            weights, or results beside it are of another folder of configurations.
    """
    the_config_dir(folder.parent, config_dir)
    weights, facts = encoder / WEIGHTS_NAME, folder / "encoder.json"
    if not weights.is_file():
        raise ValueError(f"expected an encoder directory with {weights}; found none")
    sha256 = file_digests([weights])[WEIGHTS_NAME]
    if facts.exists():
        before = json.loads(facts.read_text(encoding="utf-8"))
        if before["sha256"] != sha256:
            raise ValueError(
                f"{folder} holds results of {before['encoder']}, other weights than "
                f"{encoder} has; give this encoder another --name"
            )
        return
    found = {
        "encoder": str(encoder),
        "sha256": sha256,
        "parameters": count_parameters(load_encoder(encoder)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(facts, json.dumps(found, indent=1) + "\n")
