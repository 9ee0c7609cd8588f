"""Where SLURP's text and recordings lie in a copy of the corpus.

In SLURP's own repository that is ``dataset/slurp/*.jsonl`` and, where its
``scripts/download_audio.sh`` puts them, ``audio/slurp_real/``; without these folders it
is ``*.jsonl`` and ``slurp_real/``.
"""

from pathlib import Path


def text_folder(corpus: Path) -> Path:
    """Return the folder that has, or receives, ``train.jsonl`` and the others."""
    official = corpus / "dataset" / "slurp"
    return official if official.is_dir() else corpus


def audio_folder(corpus: Path) -> Path:
    """Return the folder that has, or receives, the folder ``slurp_real``."""
    official = corpus / "audio"
    begun = (corpus / "slurp_real").is_dir()
    return official if official.is_dir() and not begun else corpus
