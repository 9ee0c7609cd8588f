"""Parts of the frontend.

The mixture of hidden states, leaving out blocks that nobody reads, and finding the
encoder directory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from torch import nn

from pruneasr.encoder import Encoder
from pruneasr.encoder.checkpoint import CONFIG_NAME, WEIGHTS_NAME
from pruneasr.encoder.download import snapshot
from pruneasr.readout.weighted_sum import WeightedSum


class Featurizer(WeightedSum):
    """The weighted sum of hidden states, within ESPnet's initialisation of models."""

    def __init__(self, num_states: int, after_init: Callable[[], None]) -> None:
        """Start with equal weights.

        Args:
            num_states: number of hidden states.
            after_init: restores what comes before this module. ESPnet's ``init``
                overwrites all weights, then walks through the modules in their order
                and calls this where it exists.
        """
        super().__init__(num_states)
        self.espnet_initialization_fn = after_init


def is_frozen(module: nn.Module) -> bool:
    """Tell whether nothing of a module is trained."""
    return not any(p.requires_grad for p in module.parameters())


def keep_blocks(encoder: Encoder, num_blocks: int) -> None:
    """Cut an encoder off after some blocks, and drop what then has no use.

    The last hidden state becomes ``hidden_states[num_blocks]`` of the whole encoder.
    """
    config = encoder.config
    if num_blocks == len(config.blocks):
        return
    blocks = config.blocks[:num_blocks]
    encoder.config = dataclasses.replace(config, blocks=blocks)
    encoder.blocks = encoder.blocks[:num_blocks]
    if config.norm_first:  # its norm belongs to the last block of the whole encoder
        encoder.norm = nn.Identity()  # type: ignore[assignment]
    if not any(block.heads for block in blocks):
        encoder.relative_bias = None


def local_directory(ckpt: str, download_dir: str | None, download: bool) -> Path:
    """Return the encoder directory that an option ``ckpt`` names.

    Args:
        ckpt: a directory, or with ``download_dir`` the id of a model on the Hub.
        download_dir: where models of the Hub are kept; None: ckpt is a directory.
        download: whether the Hub may be asked, not only ``download_dir``.

    Raises:
        ValueError: if there is no such directory or model.
    """
    if download_dir is None:
        if not Path(ckpt).is_dir():
            raise ValueError(
                f"expected an encoder directory as ckpt; {ckpt} is none. Make one with "
                "pruneasr.bin.convert, or give download_dir where ckpt is an id on the "
                "Hub"
            )
        return Path(ckpt)
    files = (CONFIG_NAME, WEIGHTS_NAME)
    return snapshot(ckpt, files, cache_dir=download_dir, local_files_only=not download)
