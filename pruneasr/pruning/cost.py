"""Parameters and multiply-accumulates of an encoder as polynomials of its widths.

One function each, for dense, expected and removed models alike: exact integers for the
widths of a config (parameters equal the ``numel`` of the model), differentiable
tensors for expected widths. The 80 % of [W23] count ``mha_ffn`` only; the budgets of
[P23] count the whole model.

MACs are those of convolutions, projections, attention products and feed-forward layers
for one utterance of given length. Norms, activations, the softmax and the position gate
of WavLM (0.05 % in WavLM Base) are not counted, as in published figures.
"""

from __future__ import annotations

import dataclasses

from pruneasr import SAMPLE_RATE
from pruneasr.encoder import EncoderConfig
from pruneasr.pruning.widths import Number, Widths


@dataclasses.dataclass(frozen=True)
class Cost:
    """A cost by part of the encoder.

    Attributes:
        cnn: convolutions with their norms and channel scale.
        mha_ffn: attention and feed-forward layers.
        rest: feature projection, position embeddings, norms of the blocks.
    """

    cnn: Number
    mha_ffn: Number
    rest: Number

    @property
    def total(self) -> Number:
        """The whole encoder."""
        return self.cnn + self.mha_ffn + self.rest

    @property
    def transformer(self) -> Number:
        """All but the convolutions."""
        return self.mha_ffn + self.rest


def parameters(config: EncoderConfig, widths: Widths) -> Cost:
    """Return the number of parameters."""
    d = config.dim
    cnn: Number = 0
    before: Number = 1
    for i, (conv, channels) in enumerate(
        zip(config.conv_layers, widths.channels, strict=True)
    ):
        normed = config.conv_norm == "layer_norm" or i == 0
        per_channel = int(config.conv_bias) + 2 * int(normed)
        cnn = cnn + channels * (before * conv.kernel + per_channel)
        before = channels
    if widths.channel_scale:
        cnn = cnn + before

    mha_ffn: Number = 0
    rest = before * 2 + before * d + d  # projection's norm, weight, bias
    rest = rest + config.pos_conv_layers * (
        d * d // config.pos_conv_groups * config.pos_conv_kernel + d
    )
    rest = rest + 2 * d  # the norm of the encoder
    all_without_heads: Number = 1
    for block in widths.blocks:
        mha_ffn = mha_ffn + block.attention * (
            block.qk * 2 * (d + 1) + block.vo * (2 * d + 1) + d
        )
        mha_ffn = mha_ffn + block.feed_forward * (block.ffn * (2 * d + 1) + d)
        # in pre-norm models the norm goes with its branch
        norms = block.attention + block.feed_forward if config.norm_first else 2
        rest = rest + 2 * d * norms
        if config.relative_buckets:
            gate = block.any_head * 8 * (config.head_dim + 1) + block.heads
            rest = rest + block.attention * gate
            all_without_heads = all_without_heads * (
                1 - block.attention * block.any_head
            )
    bias = config.relative_buckets * config.num_heads
    rest = rest + (1 - all_without_heads) * bias
    return Cost(cnn, mha_ffn, rest)


def macs(config: EncoderConfig, widths: Widths, seconds: float = 10.0) -> Cost:
    """Return the multiply-accumulates of one utterance of ``seconds`` at 16 kHz."""
    d = config.dim
    frames = round(seconds * SAMPLE_RATE)
    cnn: Number = 0
    before: Number = 1
    for conv, channels in zip(config.conv_layers, widths.channels, strict=True):
        frames = (frames - conv.kernel) // conv.stride + 1
        cnn = cnn + frames * conv.kernel * before * channels
        before = channels

    rest = frames * d * before
    per_frame = d * d // config.pos_conv_groups * config.pos_conv_kernel
    rest = rest + config.pos_conv_layers * frames * per_frame
    mha_ffn: Number = 0
    for block in widths.blocks:
        width = block.qk + block.vo
        attention = 2 * frames * d * width + frames * frames * width
        mha_ffn = mha_ffn + block.attention * attention
        mha_ffn = mha_ffn + block.feed_forward * (2 * frames * d * block.ffn)
    return Cost(cnn, mha_ffn, rest)
