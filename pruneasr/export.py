"""Writes an encoder as an ONNX model, and compares the two.

Inputs of the ONNX model: ``waveforms`` (B, T) float32 at 16 kHz and ``lengths`` (B,)
int64; batch and time are free. Outputs: ``hidden_states`` (N + 1, B, L, D), or the last
of them only (B, L, D), and ``frame_lengths`` (B,). Values beyond a frame length are not
defined. The model does not check its input: lengths must be at least 400 samples, the
receptive field, and the longest must be T.

The encoder chooses a shorter way when all utterances of a batch are equally long. ONNX
has no such choice; the export follows the general way, that of unequal lengths.
"""

from __future__ import annotations

import copy
import os
import warnings

import torch
from torch import Tensor, nn
from torch.jit import TracerWarning  # type: ignore[attr-defined]

from pruneasr.encoder import Encoder
from pruneasr.encoder.onnx_layers import for_onnx

OPSET = 17  # the first with LayerNormalization


class _Exported(nn.Module):
    """The encoder with tensors only as its outputs."""

    def __init__(self, encoder: Encoder, last: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.last = last

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        hidden_states, frame_lengths = self.encoder(waveforms, lengths)
        output = hidden_states[-1] if self.last else torch.stack(hidden_states)
        return output, frame_lengths


def export_onnx(
    encoder: Encoder, path: str | os.PathLike[str], last: bool = False
) -> None:
    """Write an encoder as an ONNX model.

    Args:
        encoder: what to export, in eval mode whatever its own.
        path: file to write.
        last: give the last hidden state only.
    """
    output = "last_hidden_state" if last else "hidden_states"
    states = {0: "batch", 1: "frames"} if last else {1: "batch", 2: "frames"}
    with warnings.catch_warnings():
        # Tracing warns of every branch on a length; all go the general way, as said.
        warnings.simplefilter("ignore", TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding")
        torch.onnx.export(
            _Exported(for_onnx(encoder), last).eval(),
            _batch(encoder, [4, 2]),
            os.fspath(path),
            input_names=["waveforms", "lengths"],
            output_names=[output, "frame_lengths"],
            dynamic_axes={
                "waveforms": {0: "batch", 1: "samples"},
                "lengths": {0: "batch"},
                output: states,
                "frame_lengths": {0: "batch"},
            },
            opset_version=OPSET,
            dynamo=False,  # the other exporter refuses branches on data
        )


def onnx_difference(encoder: Encoder, path: str | os.PathLike[str]) -> float:
    """Return the largest difference between an encoder and its ONNX model.

    Compared are valid frames of batches unlike the one used for export: one utterance,
    several of equal and several of unequal length.

    Raises:
        ValueError: if the numbers of frames differ.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; it warns of what it could not optimise
    session = onnxruntime.InferenceSession(
        os.fspath(path), options, providers=["CPUExecutionProvider"]
    )
    last = session.get_outputs()[0].name == "last_hidden_state"
    model = _Exported(copy.deepcopy(encoder).cpu(), last).eval()
    differences: list[Tensor] = []
    for seconds in ([1], [3, 3], [5, 1, 2]):
        batch = _batch(encoder, seconds)
        with torch.no_grad():
            expected, frame_lengths = model(*batch)
        names = ("waveforms", "lengths")
        inputs = {n: t.numpy() for n, t in zip(names, batch, strict=True)}
        found, found_lengths = map(torch.from_numpy, session.run(None, inputs))
        if found_lengths.tolist() != frame_lengths.tolist():
            raise ValueError(
                f"expected {frame_lengths.tolist()} frames from {path}; found "
                f"{found_lengths.tolist()}"
            )
        for i, n in enumerate(frame_lengths):
            differences.append((found - expected)[..., i, :n, :].abs().max())
    return float(torch.stack(differences).max())  # not Python's max, which drops NaN


def _batch(encoder: Encoder, sizes: list[int]) -> tuple[Tensor, Tensor]:
    """Return noise, each utterance so many times 20 frames long, and the lengths."""
    generator = torch.Generator().manual_seed(0)
    config = encoder.config
    lengths = torch.tensor(
        [config.receptive_field + 20 * config.hop * n for n in sizes]
    )
    waveforms = torch.randn(len(sizes), int(lengths.max()), generator=generator)
    return 0.1 * waveforms, lengths
