"""An hour of speech, encoded piece by piece with context on both sides.

The whole at once would need memory that grows with the square of its length. Here the
frames are cut into chunks; each is encoded together with the frames around it, whose
hidden states are then dropped. Frame i of the whole is frame i of the pieces, put one
after the other: chunks begin at whole frames, and none is lost or made twice.

What is exact and what is not. The normalisation of the waveform and the statistics of
the GroupNorm (Base models) are those of the whole utterance, taken in a first pass over
the samples; the convolutions are then local and exact. The position convolution is
exact where the context is longer than half its kernel (64 frames, 1.28 s, in published
models). Attention is not exact: a frame attends to its chunk and the context alone. Nor
would more be better: a model that was trained on utterances of 15 s or so has not seen
attention over minutes.

Shapes: T samples, L frames, D model dimension, K kernel of the first convolution.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.encoder.feature_extractor import FeatureExtractor, NormedConvLayer
from pruneasr.encoder.model import WAVEFORM_EPS, Encoder

# Start and end, in samples -> normalised samples (end - start,) on the encoder's device
Samples = Callable[[int, int], Tensor]


def encode_long(
    encoder: Encoder,
    waveform: Tensor,
    *,
    chunk_sec: float = 30.0,
    context_sec: float = 5.0,
    num_blocks: int | None = None,
) -> Iterator[list[Tensor]]:
    """Encode one long utterance, chunk after chunk, without gradients.

    Memory beyond the waveform and what the caller keeps is that of one utterance of
    ``chunk_sec + 2 * context_sec``, however long the waveform is.

    Args:
        encoder: in evaluation mode, without gates.
        waveform: (T,) float32 at 16 kHz, on any device.
        chunk_sec: seconds of a piece, rounded to whole frames; the last is shorter.
        context_sec: seconds of context on each side, rounded to whole frames.
        num_blocks: stop after this many blocks; None means all.

    Returns:
        An iterator over pieces: ``num_blocks + 1`` hidden states (L_piece, D) on the
        encoder's device. Together they have as many frames as ``encoder.frame_lengths``
        says of T.

    Raises:
        ValueError: if the waveform is not one of sufficient length, a duration is out
            of range, or the encoder is in training mode or has gates.
    """
    config = encoder.config
    if waveform.dim() != 1 or len(waveform) < config.receptive_field:
        raise ValueError(
            f"expected one waveform (T,) of at least {config.receptive_field} samples; "
            f"found {tuple(waveform.shape)}"
        )
    frame_sec = config.hop / SAMPLE_RATE
    chunk, context = round(chunk_sec / frame_sec), round(context_sec / frame_sec)
    if chunk < 1 or context < 0:
        raise ValueError(
            f"expected chunk_sec of at least {frame_sec} and context_sec of at least "
            f"0; found {chunk_sec} and {context_sec}"
        )
    if encoder.training or not encoder.slots_are_empty():
        raise ValueError(
            "expected an encoder in evaluation mode without gates; call eval(), and "
            "remove what the gates close first"
        )
    return _pieces(encoder, waveform, chunk, context, num_blocks)


@torch.no_grad()
def _pieces(
    encoder: Encoder,
    waveform: Tensor,
    chunk: int,
    context: int,
    num_blocks: int | None,
) -> Iterator[list[Tensor]]:
    """Yield the hidden states of one chunk after the other; both lengths in frames."""
    config = encoder.config
    samples = _normalizer(encoder, waveform)
    extractor = _extractor(encoder, samples, len(waveform), chunk * config.hop)
    num_frames = int(encoder.frame_lengths(torch.tensor(len(waveform))))
    for start in range(0, num_frames, chunk):
        end = min(start + chunk, num_frames)
        first, last = max(0, start - context), min(end + context, num_frames)
        # frame i sees the samples from i hop to i hop + receptive field
        until = (last - 1) * config.hop + config.receptive_field
        part = samples(first * config.hop, until)
        lengths = torch.tensor([len(part)], device=part.device)
        features, frame_lengths = extractor(part[None], lengths)
        features = encoder.feature_projection(features)
        hidden_states = encoder.encode(features, frame_lengths, num_blocks)
        yield [x[0, start - first : end - first] for x in hidden_states]


def _normalizer(encoder: Encoder, waveform: Tensor) -> Samples:
    """Return what cuts samples out, normalised as the whole if the model wants it."""
    device = next(encoder.parameters()).device
    if not encoder.config.normalize_waveform:
        return lambda start, end: waveform[start:end].to(device)
    variance, mean = torch.var_mean(waveform, correction=0)
    scale = (variance + WAVEFORM_EPS).rsqrt()
    return lambda start, end: ((waveform[start:end] - mean) * scale).to(device)


def _extractor(
    encoder: Encoder, samples: Samples, num_samples: int, piece: int
) -> FeatureExtractor:
    """Return the feature extractor with the statistics of the whole utterance fixed."""
    first = encoder.feature_extractor.layers[0]
    if not isinstance(first, NormedConvLayer):
        return encoder.feature_extractor
    extractor = copy.deepcopy(encoder.feature_extractor)
    kernel, stride = first.conv.kernel_size[0], first.conv.stride[0]
    moments = _window_moments(samples, num_samples, kernel, stride, piece)
    extractor.layers[0] = first.with_statistics(*moments)
    return extractor


def _window_moments(
    samples: Samples, num_samples: int, kernel: int, stride: int, piece: int
) -> tuple[Tensor, Tensor]:
    """Return mean (K,) and covariance (K, K), float64, of a convolution's windows."""
    num_windows = (num_samples - kernel) // stride + 1
    total: Tensor | float = 0.0
    products: Tensor | float = 0.0
    for start in range(0, num_windows, piece):
        end = min(start + piece, num_windows)
        part = samples(start * stride, (end - 1) * stride + kernel)
        windows = part.double().unfold(0, kernel, stride)  # (end - start, K)
        total = total + windows.sum(0)
        products = products + windows.t() @ windows
    mean = torch.as_tensor(total) / num_windows
    return mean, torch.as_tensor(products) / num_windows - torch.outer(mean, mean)
