"""Encoders that nobody has trained yet: random, or with a teacher's first blocks.

These are the teacher of a corpus without a published one, the baseline "same shape from
scratch", and the student of DistilHuBERT (Chang et al. 2022, section 2.2), which starts
from the first blocks of its teacher.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from pruneasr.encoder.config import BlockConfig, EncoderConfig
from pruneasr.encoder.model import Encoder


def random_encoder(config: EncoderConfig, seed: int) -> Encoder:
    """Return an encoder with the initial weights that a seed gives."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Encoder(config)


def first_blocks(
    teacher: Encoder, num_blocks: int, seed: int, num_parameters: int | None = None
) -> Encoder:
    """Return an encoder with the front end and the first blocks of another.

    Convolutions, projection, positions, norms and blocks are copied. With
    ``num_parameters`` the feed-forward layers are made narrower or wider, all by the
    same amount but for a remainder of one dimension in the first of them, until the
    whole encoder has that number as nearly as possible (within ``D + 1``). Feed-forward
    dimensions have no order, so a narrower layer keeps the first ones; a wider one has
    further ones with random weights.

    Args:
        teacher: where the weights come from.
        num_blocks: how many blocks to keep.
        seed: for the random weights.
        num_parameters: size of the result; None keeps the widths.

    Raises:
        ValueError: if the teacher has fewer blocks, or no width gives the size.
    """
    if not 0 < num_blocks <= len(teacher.blocks):
        raise ValueError(
            f"expected 1 to {len(teacher.blocks)} blocks, which the encoder has; found "
            f"{num_blocks}"
        )
    blocks = teacher.config.blocks[:num_blocks]
    if num_parameters is not None:
        blocks = _fit_ffn(teacher.config, blocks, num_parameters)
    student = random_encoder(dataclasses.replace(teacher.config, blocks=blocks), seed)
    source = teacher.state_dict()
    with torch.no_grad():
        for name, tensor in student.state_dict().items():
            _copy_common(source[name], tensor)
    return student


def count_parameters(encoder: Encoder) -> int:
    """Return the number of parameters of an encoder."""
    return sum(parameter.numel() for parameter in encoder.parameters())


def _fit_ffn(
    config: EncoderConfig, blocks: tuple[BlockConfig, ...], num_parameters: int
) -> tuple[BlockConfig, ...]:
    """Share feed-forward dimensions out so that the encoder has the wanted size."""
    if not all(block.ffn for block in blocks):
        raise ValueError(
            "expected blocks that have a feed-forward layer, to change its width; "
            f"found the widths {[block.ffn for block in blocks]}"
        )

    def resized(total: int) -> tuple[BlockConfig, ...]:
        share, rest = divmod(total, len(blocks))
        return tuple(
            dataclasses.replace(block, ffn=share + (i < rest))
            for i, block in enumerate(blocks)
        )

    narrowest = dataclasses.replace(config, blocks=resized(len(blocks)))
    least = count_parameters(Encoder(narrowest))
    # one dimension: a row and a bias of the first matrix, a column of the second
    more = round((num_parameters - least) / (2 * config.dim + 1))
    if more < 0:
        raise ValueError(
            f"the first {len(blocks)} blocks have {least} parameters with the "
            "narrowest feed-forward layers, more than the "
            f"{num_parameters} wanted; keep fewer"
        )
    return resized(len(blocks) + more)


def _copy_common(source: Tensor, target: Tensor) -> None:
    """Copy the leading part that two tensors share in every dimension."""
    common: Any = tuple(
        slice(min(a, b)) for a, b in zip(source.shape, target.shape, strict=True)
    )
    target[common] = source[common]
