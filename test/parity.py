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
    Reference,
    fairseq_checkpoint,
    huggingface,
    torchaudio,
)

from pruneasr.encoder import Encoder
from pruneasr.encoder.interop import import_encoder
from pruneasr.encoder.interop.torchaudio import import_torchaudio

FORMATS = ("Hugging Face", "torchaudio", "WavLM or fairseq .pt", "DPHuBERT .pth")
CASES = [
    (family, size, form)
    for family in FAMILIES
    for size in SIZES
    for form in FORMATS
    # torchaudio and DPHuBERT have no data2vec
    if family != "data2vec" or form in ("Hugging Face", "WavLM or fairseq .pt")
]


def convert(
    family: str, size: str, form: str, directory: Path
) -> tuple[Encoder, Reference]:
    """Make a model in a format, read it, and return ours and the original."""
    if form == "torchaudio":
        reference = torchaudio(family, size)
        return import_torchaudio(reference.module, family, "memory").encoder, reference
    if form == "DPHuBERT .pth":
        pruned = dphubert(family, size)
        torch.save(pruned.checkpoint, directory / "pruned.pth")
        encoder = import_encoder(str(directory / "pruned.pth")).encoder
        return encoder, pruned.reference
    reference = huggingface(family, size)
    reference.module.save_pretrained(directory)
    encoder = import_encoder(str(directory)).encoder
    if form == "Hugging Face":
        return encoder, reference
    torch.save(fairseq_checkpoint(encoder), directory / "checkpoint.pt")
    return import_encoder(str(directory / "checkpoint.pt")).encoder, reference
