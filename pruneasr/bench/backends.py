"""Ways to run an encoder: torch as it is, compiled, or ONNX Runtime.

eager      torch
compile    torch.compile with free lengths: one compilation, not one per length
onnx       ONNX Runtime on the CPU, float32
onnx-int8  the same with the weights of linear layers as 8-bit integers, their
           inputs quantised as they come (ONNX Runtime's dynamic quantisation)
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from pruneasr.encoder import Encoder
from pruneasr.export import export_onnx

BACKENDS = ("eager", "compile", "onnx", "onnx-int8")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# Maps waveforms (B, T) on the device to something that is thrown away
Runner = Callable[[Tensor], object]


def precision(device: str, dtype: str) -> contextlib.AbstractContextManager[object]:
    """Return what runners of torch are called in: autocast, as trainings run.

    It is entered once around many calls, as a decoding does: autocast casts a weight
    once and keeps it until it is left.

    Args:
        device: of torch, as ``cpu`` or ``cuda:1``.
        dtype: a key of :data:`DTYPES`.
    """
    if dtype == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, DTYPES[dtype])


def runner(model: nn.Module, backend: str) -> Runner:
    """Return a function that runs a model, without gradients.

    Args:
        model: an encoder or another library's; the latter in ``eager`` only.
        backend: one of :data:`BACKENDS`.

    Raises:
        ValueError: if the combination does not exist.
    """
    if backend.startswith("onnx"):
        if not isinstance(model, Encoder):
            raise ValueError(
                f"{backend} runs encoders; found {type(model).__name__}, run it eager"
            )
        return _onnx_runner(model, int8=backend == "onnx-int8")
    if backend == "compile" and sys.flags.optimize:
        raise ValueError(
            "torch.compile fails in a Python that leaves out asserts; unset "
            "PYTHONOPTIMIZE for the backend compile"
        )
    called = torch.compile(model, dynamic=True) if backend == "compile" else model

    def run(waveforms: Tensor) -> object:
        with torch.no_grad():  # autocast keeps no weights in inference mode
            return called(waveforms)

    return run


def _onnx_runner(encoder: Encoder, int8: bool) -> Runner:
    import onnxruntime
    from onnxruntime.quantization import quantize_dynamic

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "encoder.onnx")
        export_onnx(encoder, path)
        if int8:
            quantized = Path(directory, "int8.onnx")
            logging.disable(logging.WARNING)  # of float64, which it leaves as it is
            quantize_dynamic(path, quantized, ["MatMul"], per_channel=True)
            logging.disable(logging.NOTSET)
            path = quantized
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def run(waveforms: Tensor) -> object:
        lengths = torch.full((len(waveforms),), waveforms.size(1))
        inputs = {"waveforms": waveforms.numpy(), "lengths": lengths.numpy()}
        return session.run(None, inputs)

    return run
