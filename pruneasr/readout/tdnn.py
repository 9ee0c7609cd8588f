"""A time-delay neural network (Waibel et al. 1989): it hears words, not sentences.

    layer norm -> (dropout -> convolution over time -> ReLU) for every kernel

What it says of a frame depends on the frames around it alone, so that it cannot learn
what utterances are like in place of how words sound. Where there are few of either,
attention over the whole utterance does just that.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pruneasr.encoder.feature_extractor import frame_mask

WIDTH = 128
KERNELS = (9, 7, 5)
STRIDE = 2
"""With these kernels an outlook of 0.6 s: a word, not the sentence around it."""
DROPOUT = 0.3


class TDNN(nn.Module):
    """Convolutions over features; padding changes nothing.

    Shapes: B batch, L frames, D features, W width.
    """

    def __init__(
        self,
        input_size: int,
        width: int,
        kernels: Sequence[int],
        stride: int,
        dropout: float,
    ) -> None:
        """Build the layers.

        Args:
            input_size: D.
            width: W, channels of every layer.
            kernels: frames that each layer sees, odd, so that it looks ahead as far as
                back.
            stride: frames of the features per frame of the output.
            dropout: rate before every layer.

        Raises:
            ValueError: An option is out of range.
        """
        super().__init__()
        if not kernels or any(kernel < 1 or kernel % 2 == 0 for kernel in kernels):
            raise ValueError(
                f"expected kernels of odd numbers of frames, found {list(kernels)}"
            )
        if width < 1 or stride < 1:
            raise ValueError(
                f"expected width and stride of at least 1, found {width} and {stride}"
            )
        self.stride = stride
        self.norm = nn.LayerNorm(input_size)
        self.dropout = nn.Dropout(dropout)
        widths = [input_size] + [width] * len(kernels)
        self.layers = nn.ModuleList(
            nn.Conv1d(
                widths[i],
                widths[i + 1],
                kernel,
                stride=1 if i else stride,
                padding=kernel // 2,
            )
            for i, kernel in enumerate(kernels)
        )

    def forward(self, feats: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, L, D), of lengths (B,), to (B, ceil(L / stride), W) and lengths.

        The output is zero beyond its lengths.
        """
        x = self.norm(feats).transpose(1, 2)
        x = x * frame_mask(lengths, x.size(2))[:, None]
        lengths = (lengths + self.stride - 1).div(self.stride, rounding_mode="floor")
        for layer in self.layers:
            x = layer(self.dropout(x)).relu()
            x = x * frame_mask(lengths, x.size(2))[:, None]
        return x.transpose(1, 2), lengths
