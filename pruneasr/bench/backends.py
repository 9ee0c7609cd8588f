"""Ways to run an encoder: torch as it is, compiled, or ONNX Runtime.

eager      torch
compile    torch.compile with free lengths: one compilation, not one per length
onnx       ONNX Runtime on the CPU, float32
onnx-int8  the same with the weights of linear layers as 8-bit integers, their
           inputs quantised as they come (ONNX Runtime's dynamic quantisation)
"""

from __future__ import annotations

import contextlib
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


def runner(model: nn.Module, backend: str, dtype: torch.dtype) -> Runner:
    """Return a function that runs a model, without gradients.

    Args:
        model: an encoder or another library's; the latter in ``eager`` only.
        backend: one of :data:`BACKENDS`.
        dtype: float32, or bfloat16 by autocast, as trainings run.

    Raises:
        ValueError: if the combination does not exist.
    """
    if backend.startswith("onnx"):
        if not isinstance(model, Encoder) or dtype != torch.float32:
            raise ValueError(
                f"{backend} runs encoders given in float32; found "
                f"{type(model).__name__} in {dtype}"
            )
        return _onnx_runner(model, int8=backend == "onnx-int8")
    compiled = backend == "compile"
    called = torch.compile(model, dynamic=True) if compiled else model

    def run(waveforms: Tensor) -> object:
        half = torch.autocast(waveforms.device.type, dtype)
        context = contextlib.nullcontext() if dtype == torch.float32 else half
        with torch.inference_mode(), context:
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
            quantize_dynamic(path, quantized, ["MatMul"], per_channel=True)
            path = quantized
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def run(waveforms: Tensor) -> object:
        lengths = torch.full((len(waveforms),), waveforms.size(1))
        inputs = {"waveforms": waveforms.numpy(), "lengths": lengths.numpy()}
        return session.run(None, inputs)

    return run
