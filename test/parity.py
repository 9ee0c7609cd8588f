"""For every family, size and format: a model converted by us beside the original.

The parity tests and the table of encoder/parity_table.py share these functions.
"""

from __future__ import annotations

from pathlib import Path

import torch
from dphubert_models import dphubert
from reference_models import (
    FAMILIES,
    SIZES,
    TINY,
    Reference,
    Shape,
    fairseq_checkpoint,
    huggingface,
    torchaudio,
)

from pruneasr.encoder import Encoder, save_encoder
from pruneasr.encoder.interop import import_encoder
from pruneasr.encoder.interop.torchaudio import import_torchaudio

# Formats of published checkpoints, and the families that exist in them.
FORMATS = {
    "Hugging Face safetensors": set(FAMILIES),
    "Hugging Face bin": set(FAMILIES),
    "torchaudio": {"wavlm", "hubert", "wav2vec2"},
    "WavLM .pt": {"wavlm"},
    "fairseq .pt": {"hubert", "wav2vec2", "data2vec"},
    "DPHuBERT .pth": {"wavlm", "hubert", "wav2vec2"},
    "pruneasr": set(FAMILIES),
}
CASES = [
    (family, size, form)
    for family in FAMILIES
    for size in SIZES
    for form, families in FORMATS.items()
    if family in families
]


def convert(
    family: str, size: str, form: str, directory: Path, shape: Shape = TINY
) -> tuple[Encoder, Reference]:
    """Make a model in a format, read it, and return ours and the original."""
    if form == "torchaudio":
        reference = torchaudio(family, size, shape)
        return import_torchaudio(reference.module, family, "memory").encoder, reference
    if form == "DPHuBERT .pth":
        pruned = dphubert(family, size, shape)
        torch.save(pruned.checkpoint, directory / "pruned.pth")
        encoder = import_encoder(str(directory / "pruned.pth")).encoder
        return encoder, pruned.reference
    reference = huggingface(family, size, shape)
    reference.module.save_pretrained(directory)
    if form == "Hugging Face bin":
        (directory / "model.safetensors").unlink()
        torch.save(reference.module.state_dict(), directory / "pytorch_model.bin")
    encoder = import_encoder(str(directory)).encoder
    source = directory
    if form in ("WavLM .pt", "fairseq .pt"):
        source = directory / "checkpoint.pt"
        torch.save(fairseq_checkpoint(encoder), source)
    elif form == "pruneasr":
        source = directory / "ours"
        save_encoder(encoder, source)
    return import_encoder(str(source)).encoder, reference
