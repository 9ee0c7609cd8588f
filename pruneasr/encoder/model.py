"""The encoder: waveforms in, hidden states of every block out.

    waveforms -> convolutions -> projection -> position -> blocks -> hidden states

One class serves WavLM, HuBERT, wav2vec 2.0 and data2vec, dense or pruned; the config
makes the difference.

Hidden states. ``hidden_states[0]`` is what enters block 0 (after the position embedding
and, in post-norm models, its LayerNorm); ``hidden_states[i]`` is what leaves block i.
In pre-norm models the last one has passed the final LayerNorm. Against the references:
transformers' list is the same, except that the last entry of its pre-norm models lacks
the final norm (``last_hidden_state`` has it); torchaudio's ``extract_features`` starts
with our entry 1 and lacks the final norm too.

Shapes: B batch, T samples, L frames, D model dimension, H heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr import SAMPLE_RATE
from pruneasr.encoder.config import EncoderConfig
from pruneasr.encoder.feature_extractor import (
    FeatureExtractor,
    FeatureProjection,
    conv_length,
    frame_mask,
)
from pruneasr.encoder.kernels import Dropout
from pruneasr.encoder.layers import Block
from pruneasr.encoder.positions import PositionalConv, RelativePositionBias

# Keeps the normalisation of silence finite; LayerNorm's, as in fairseq
WAVEFORM_EPS = 1e-5


class Encoder(nn.Module):
    """A self-supervised speech encoder."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.feature_extractor = FeatureExtractor(config)
        self.feature_projection = FeatureProjection(config)
        self.positional_conv = PositionalConv(config)
        self.norm = nn.LayerNorm(config.dim)
        self.dropout = Dropout(config.dropout)
        attends = any(block.heads for block in config.blocks)
        self.relative_bias = (
            RelativePositionBias(config)
            if config.relative_buckets and attends
            else None
        )
        self.blocks = nn.ModuleList(Block(config, block) for block in config.blocks)

    def forward(
        self,
        waveforms: Tensor,
        lengths: Tensor | None = None,
        num_blocks: int | None = None,
    ) -> tuple[list[Tensor], Tensor]:
        """Encode a padded batch.

        Args:
            waveforms: (B, T) float32 at 16 kHz.
            lengths: (B,) valid samples of each; None means all T.
            num_blocks: stop after this many blocks; None means all.

        Returns:
            The hidden states, ``num_blocks + 1`` tensors (B, L, D), and the number of
            valid frames (B,). Values beyond it are not defined.

        Raises:
            ValueError: if the shape or type is wrong, an utterance is shorter than the
                receptive field, or there are not so many blocks.
        """
        features, frame_lengths = self.extract_features(waveforms, lengths)
        return self.encode(features, frame_lengths, num_blocks), frame_lengths

    def extract_features(
        self, waveforms: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Map waveforms (B, T) to projected frames (B, L, D) and their number (B,)."""
        lengths = self._check(waveforms, lengths)
        if self.config.normalize_waveform:
            waveforms = _normalize(waveforms, lengths)
        x, frame_lengths = self.feature_extractor(waveforms, lengths)
        return self.feature_projection(x), frame_lengths

    def encode(
        self, features: Tensor, frame_lengths: Tensor, num_blocks: int | None = None
    ) -> list[Tensor]:
        """Map projected frames (B, L, D) to the hidden states."""
        if num_blocks is not None and not 0 <= num_blocks <= len(self.blocks):
            raise ValueError(
                f"expected num_blocks from 0 to {len(self.blocks)}; found {num_blocks}"
            )
        num_frames = features.size(1)
        valid, padding_bias = None, None
        if not bool((frame_lengths == num_frames).all()):
            mask = frame_mask(frame_lengths, num_frames)
            valid = mask[..., None].to(features.dtype)
            features = features * valid
            padding_bias = torch.zeros_like(mask, dtype=features.dtype)
            padding_bias = padding_bias.masked_fill(~mask, float("-inf"))[:, None, None]
        x = self.positional_conv(features, valid)
        x = self.dropout(x if self.config.norm_first else self.norm(x))
        position_bias = (
            None if self.relative_bias is None else self.relative_bias(num_frames)
        )
        hidden_states = [x]
        for block in self.blocks[:num_blocks]:
            hidden_states.append(block(hidden_states[-1], position_bias, padding_bias))
        if self.config.norm_first and len(hidden_states) == len(self.blocks) + 1:
            hidden_states[-1] = self.norm(hidden_states[-1])
        return hidden_states

    def slots_are_empty(self) -> bool:
        """Return whether no gate is attached."""
        slots = [m for name, m in self.named_modules() if name.endswith("slot")]
        return all(isinstance(slot, nn.Identity) for slot in slots)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of frames (B,) for numbers of samples (B,)."""
        for conv in self.config.conv_layers:
            lengths = conv_length(lengths, conv.kernel, conv.stride)
        return lengths

    def _check(self, waveforms: Tensor, lengths: Tensor | None) -> Tensor:
        if waveforms.dim() != 2:
            raise ValueError(
                "expected mono waveforms of shape (batch, samples); found "
                f"{tuple(waveforms.shape)}. Select or mix down one channel first"
            )
        wanted = self.feature_extractor.dtype
        if waveforms.dtype != wanted and not torch.is_autocast_enabled(
            waveforms.device.type
        ):
            raise ValueError(
                f"expected waveforms of {wanted}, as the weights are; found "
                f"{waveforms.dtype}. Convert them with .to({wanted})"
            )
        batch, samples = waveforms.shape
        if lengths is None:
            lengths = torch.full((batch,), samples, device=waveforms.device)
        lengths = lengths.to(waveforms.device)
        if lengths.shape != (batch,) or int(lengths.max()) > samples:
            raise ValueError(
                f"expected {batch} lengths of at most {samples} samples; found "
                f"{lengths.tolist()}"
            )
        shortest = self.config.receptive_field
        if int(lengths.min()) < shortest:
            raise ValueError(
                f"every utterance must have at least {shortest} samples "
                f"({1000 * shortest / SAMPLE_RATE:.0f} ms at 16 kHz); found lengths "
                f"{lengths.tolist()}. Remove or pad the short ones"
            )
        return lengths


def _normalize(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Give each waveform zero mean and unit variance over its valid samples."""
    if bool((lengths == waveforms.size(1)).all()):
        return F.layer_norm(waveforms, waveforms.shape[-1:], eps=WAVEFORM_EPS)
    valid = frame_mask(lengths, waveforms.size(1))
    count = lengths[:, None]
    mean = (waveforms * valid).sum(1, keepdim=True) / count
    centred = (waveforms - mean) * valid
    variance = centred.square().sum(1, keepdim=True) / count
    return centred * (variance + WAVEFORM_EPS).rsqrt()
