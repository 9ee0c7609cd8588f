"""An encoder that the tools of the Hugging Face hub can save, push and load.

    PretrainedEncoder.wrap(encoder).push_to_hub("somebody/wavlm-base-pruned")
    encoder = PretrainedEncoder.from_pretrained("somebody/wavlm-base-pruned")

The mixin is huggingface_hub's own; the files are those of
:mod:`pruneasr.encoder.checkpoint`, so a pushed encoder, downloaded by any means, is
also what ``load_encoder`` reads. A model card that lies beside them, as stage 12 of the
recipes writes it, goes along; without one the mixin writes a bare one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import ModelHubMixin

from pruneasr.encoder.checkpoint import (
    CONFIG_NAME,
    WEIGHTS_NAME,
    load_encoder,
    load_metadata,
    save_encoder,
)
from pruneasr.encoder.download import snapshot
from pruneasr.encoder.model import Encoder

LIBRARY_NAME = "pruneasr"
TAGS = ("speech", "pruning")
CARD_NAME = "README.md"  # where the hub looks for it
CARD_HTML_NAME = "card.html"
CARD_PATTERNS = (CARD_NAME, CARD_HTML_NAME, "figures/*.png")


class PretrainedEncoder(
    Encoder, ModelHubMixin, library_name=LIBRARY_NAME, tags=list(TAGS)
):
    """An encoder with ``save_pretrained``, ``push_to_hub`` and ``from_pretrained``.

    Attributes:
        provenance: free JSON facts that are saved with it.
        card: the files of its model card, name -> content; saved with it too.
    """

    provenance: Mapping[str, Any] = {}
    card: Mapping[str, bytes] = {}

    @classmethod
    def wrap(
        cls, encoder: Encoder, provenance: Mapping[str, Any] | None = None
    ) -> PretrainedEncoder:
        """Return a copy of an encoder, in evaluation mode."""
        wrapped = cls(encoder.config)
        wrapped.load_state_dict(encoder.state_dict())
        wrapped.provenance = dict(provenance or {})
        return wrapped.eval()

    def _save_pretrained(self, save_directory: Path) -> None:
        save_encoder(self, save_directory, self.provenance)
        for name, content in self.card.items():
            (save_directory / name).parent.mkdir(exist_ok=True)
            (save_directory / name).write_bytes(content)

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        **model_kwargs: Any,
    ) -> PretrainedEncoder:
        """Load from a directory, or from the hub with the mixin's options.

        Raises:
            ValueError: if an option is unknown, or the files are not an encoder of
                pruneasr.
        """
        # the mixin hands over what it read of config.json; it is read and checked below
        unknown = sorted(set(model_kwargs) - {"config"})
        if unknown:
            raise ValueError(f"from_pretrained: unknown options {unknown}")
        directory = model_id
        if not Path(model_id).is_dir():
            directory = str(
                snapshot(
                    model_id,
                    [CONFIG_NAME, WEIGHTS_NAME, *CARD_PATTERNS],
                    revision=revision,
                    cache_dir=cache_dir,
                    force_download=force_download,
                    local_files_only=local_files_only,
                    token=token,
                )
            )
        wrapped = cls.wrap(
            load_encoder(directory), load_metadata(directory)["provenance"]
        )
        wrapped.card = {
            path.relative_to(directory).as_posix(): path.read_bytes()
            for pattern in CARD_PATTERNS
            for path in sorted(Path(directory).glob(pattern))
        }
        return wrapped
