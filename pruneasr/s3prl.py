"""An encoder as an upstream of s3prl, for those who have a working s3prl.

s3prl finds upstreams by name in its module ``s3prl.hub`` and asks little of them: wavs
in, a dict of hidden states out, and the samples per frame. Once :func:`register` was
called in the same process, ``S3PRLUpstream("pruned_ssl_local", path_or_url=DIR)`` and
the options ``-u pruned_ssl_local -k DIR`` work. Only register imports s3prl.

Shapes: B batch, T samples, L frames, D model dimension.
"""

from __future__ import annotations

import importlib

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from pruneasr.encoder import load_encoder


class UpstreamExpert(nn.Module):
    """The encoder behind the interface of s3prl's upstreams."""

    def __init__(self, ckpt: str) -> None:
        """Load the encoder directory ``ckpt``."""
        super().__init__()
        self.encoder = load_encoder(ckpt)

    def get_downsample_rates(self, key: str) -> int:
        """Return the samples per frame, equal for all outputs."""
        return self.encoder.config.hop

    def forward(self, wavs: list[Tensor]) -> dict[str, list[Tensor] | Tensor]:
        """Encode waveforms of any lengths.

        Args:
            wavs: each (T,) at 16 kHz.

        Returns:
            ``hidden_states``, a list of (B, L, D), and ``last_hidden_state``.

        Raises:
            ValueError: if a waveform is shorter than the receptive field.
        """
        lengths = torch.tensor([len(wav) for wav in wavs], device=wavs[0].device)
        hidden_states, _ = self.encoder(pad_sequence(wavs, batch_first=True), lengths)
        return {"hidden_states": hidden_states, "last_hidden_state": hidden_states[-1]}


def pruned_ssl_local(
    ckpt: str,
    model_config: str | None = None,
    refresh: bool = False,  # noqa: ARG001, s3prl passes it
) -> UpstreamExpert:
    """Return the upstream of an encoder directory; the entry in ``s3prl.hub``.

    Args:
        ckpt: encoder directory.
        model_config: must be None, because the directory describes itself.
        refresh: ignored, because nothing is downloaded.

    Raises:
        ValueError: if a model_config is given or the encoder cannot be read.
    """
    if model_config is not None:
        raise ValueError(
            f"expected no model_config (-g), found {model_config}; the encoder "
            "directory describes itself"
        )
    return UpstreamExpert(ckpt)


def register() -> None:
    """Add the entry ``pruned_ssl_local`` to ``s3prl.hub``."""
    hub = importlib.import_module("s3prl.hub")
    hub.pruned_ssl_local = pruned_ssl_local  # type: ignore[attr-defined]
