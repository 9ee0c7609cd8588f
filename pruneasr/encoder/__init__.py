"""The speech encoder as published, dense or with per-layer widths."""

from pruneasr.encoder.checkpoint import load_encoder, save_encoder
from pruneasr.encoder.config import (
    BlockConfig,
    ConvConfig,
    EncoderConfig,
    HeadConfig,
    dense_config,
)
from pruneasr.encoder.model import Encoder

__all__ = [
    "BlockConfig",
    "ConvConfig",
    "Encoder",
    "EncoderConfig",
    "HeadConfig",
    "dense_config",
    "load_encoder",
    "save_encoder",
]
