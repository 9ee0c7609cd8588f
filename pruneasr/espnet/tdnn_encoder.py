"""``encoder: tdnn``: convolutions between a frontend and CTC, in any ESPnet task.

ESPnet's encoders all attend to the whole utterance or run through it. With an hour of
speech they learn which utterances there are; see :mod:`pruneasr.readout.tdnn`.
"""

from __future__ import annotations

from collections.abc import Sequence

from espnet2.asr.encoder.abs_encoder import AbsEncoder
from torch import Tensor

from pruneasr.readout.tdnn import DROPOUT, KERNELS, STRIDE, TDNN, WIDTH


class TDNNEncoder(AbsEncoder):
    """A TDNN as encoder of a task; by default it hears 0.6 s: a word."""

    def __init__(
        self,
        input_size: int,
        output_size: int = WIDTH,
        kernels: Sequence[int] = KERNELS,
        stride: int = STRIDE,
        dropout_rate: float = DROPOUT,
    ) -> None:
        """Build the encoder; options are the keys of ``encoder_conf``.

        Args:
            input_size: features per frame.
            output_size: channels of every layer.
            kernels: frames that each layer sees, odd.
            stride: frames of the features per frame of the output.
            dropout_rate: before every layer.

        Raises:
            ValueError: An option is out of range.
        """
        super().__init__()
        self.width = output_size
        self.tdnn = TDNN(input_size, output_size, kernels, stride, dropout_rate)

    def output_size(self) -> int:
        """Return the channels of the output."""
        return self.width

    def forward(
        self, xs_pad: Tensor, ilens: Tensor, prev_states: Tensor | None = None
    ) -> tuple[Tensor, Tensor, None]:
        """Map features (B, L, D), of valid frames (B,), to (B, ceil(L / stride), W).

        Returns:
            The output, zero beyond its valid frames, these (B,), and no states.
        """
        feats, lengths = self.tdnn(xs_pad, ilens)
        return feats, lengths, None
