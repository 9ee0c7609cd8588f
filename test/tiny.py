"""Small encoders with random weights, as trained ones are: nothing is 0 or 1."""

import dataclasses

import torch

from pruneasr.encoder import (
    BlockConfig,
    Encoder,
    EncoderConfig,
    HeadConfig,
    dense_config,
)

BASE = {}
LARGE = {
    "conv_norm": "layer_norm",
    "norm_first": True,
    "normalize_waveform": True,
    "conv_bias": True,
}
VARIANTS = {
    "wavlm-base": BASE,
    "wavlm-large": LARGE,
    "hubert-base": {"family": "hubert"},
    "wav2vec2-large": {"family": "wav2vec2", **LARGE},
}


def tiny_config(**options):
    sizes = {"dim": 32, "num_heads": 4, "ffn": 64, "num_blocks": 3}
    convs = {"conv_channels": (16,) * 7, "pos_conv_kernel": 8, "pos_conv_groups": 4}
    return dense_config(**{**sizes, **convs, **options})


def random_encoder(config=None, seed=0):
    torch.manual_seed(seed)
    encoder = Encoder(config or tiny_config()).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return encoder


def random_config(generator):
    """Draw an architecture with uneven widths, heads and branches missing."""

    def draw(low, high):
        return int(torch.randint(low, high + 1, (), generator=generator))

    def block():
        attention, feed_forward = draw(0, 4) > 0, draw(0, 4) > 0
        heads = tuple(
            HeadConfig(i, draw(0, 8), draw(1, 8))
            for i in range(4)
            if attention and draw(0, 2) > 0
        )
        return BlockConfig(
            attention, heads, feed_forward, draw(0, 20) if feed_forward else 0
        )

    large = draw(0, 1) > 0
    dense = tiny_config(
        family=("wavlm", "hubert")[draw(0, 1)],
        conv_channels=tuple(draw(1, 12) for _ in range(7)),
        channel_scale=draw(0, 1) > 0,
        pos_conv_layers=draw(1, 2),
        pos_conv_kernel=draw(3, 8),
        **(LARGE if large else BASE),
    ).to_dict()
    config = EncoderConfig.from_dict(dense)
    return dataclasses.replace(config, blocks=tuple(block() for _ in range(3)))


def waveforms(seed=0):
    """Three utterances of different length and their lengths."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, 4000, generator=generator), torch.tensor([4000, 2500, 700])


def largest_difference(first, second, speech, lengths):
    """Largest difference of two encoders' hidden states over valid frames."""
    with torch.no_grad():
        (a, frames), (b, _) = first(speech, lengths), second(speech, lengths)
    assert len(a) == len(b)
    return max(
        float((x[i, : frames[i]] - y[i, : frames[i]]).abs().max())
        for x, y in zip(a, b, strict=True)
        for i in range(len(frames))
    )
