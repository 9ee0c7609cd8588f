"""ONNX models against the encoders they were made from."""

import copy
import dataclasses
import logging
import sys

import pytest
import tiny
import torch

from pruneasr.bin import export_onnx as command
from pruneasr.encoder import ConvConfig, save_encoder
from pruneasr.export import export_onnx, onnx_difference

pytest.importorskip("onnxruntime", reason="needs pip install pruneasr[export]")

DATA2VEC = {"family": "data2vec", "pos_conv_layers": 3, "pos_conv_kernel": 3}
CASES = {**tiny.VARIANTS, "data2vec": DATA2VEC, "no blocks": {"num_blocks": 0}}


def ragged_config(seed):
    """Draw uneven blocks; a LayerNorm over two channels would amplify rounding."""
    config = tiny.random_config(torch.Generator().manual_seed(seed))
    wide = tuple(
        ConvConfig(conv.channels + 8, conv.kernel, conv.stride)
        for conv in config.conv_layers
    )
    return dataclasses.replace(config, conv_layers=wide)


@pytest.mark.parametrize("name", CASES)
def test_onnx_equals_torch(name, tmp_path):
    encoder = tiny.random_encoder(tiny.tiny_config(**CASES[name]))
    export_onnx(encoder, tmp_path / "encoder.onnx")
    assert onnx_difference(encoder, tmp_path / "encoder.onnx") < 1e-4


@pytest.mark.parametrize("seed", [0, 1, 3, 5])
def test_onnx_equals_torch_with_uneven_and_absent_parts(seed, tmp_path):
    encoder = tiny.random_encoder(ragged_config(seed))
    export_onnx(encoder, tmp_path / "encoder.onnx", last=True)
    assert onnx_difference(encoder, tmp_path / "encoder.onnx") < 1e-4


def test_uneven_and_absent_parts_occur():
    blocks = [block for seed in (0, 1, 3, 5) for block in ragged_config(seed).blocks]
    assert any(not block.attention for block in blocks)
    assert any(not block.feed_forward for block in blocks)
    assert any(head.qk == 0 for block in blocks for head in block.heads)


def test_outputs_are_named_and_free_in_batch_and_time(tmp_path):
    import onnxruntime

    encoder = tiny.random_encoder()
    export_onnx(encoder, tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    waveforms, lengths = tiny.waveforms()
    states, frames = session.run(
        ["hidden_states", "frame_lengths"],
        {"waveforms": waveforms.numpy(), "lengths": lengths.numpy()},
    )
    assert states.shape == (4, 3, 12, 32)
    assert frames.tolist() == encoder.frame_lengths(lengths).tolist()


def test_a_model_that_is_not_a_number_differs(tmp_path):
    encoder = tiny.random_encoder()
    broken = copy.deepcopy(encoder)
    with torch.no_grad():
        broken.blocks[-1].feed_forward.branch.down_proj.bias.fill_(float("nan"))
    export_onnx(broken, tmp_path / "broken.onnx")
    assert not onnx_difference(encoder, tmp_path / "broken.onnx") <= 1


def test_the_command_tells_the_difference(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    save_encoder(tiny.random_encoder(), tmp_path / "encoder")
    output = tmp_path / "new" / "encoder.onnx"
    command.main(["--encoder", f"{tmp_path}/encoder", "--output", str(output)])
    assert "differs from torch by" in caplog.text
    assert output.stat().st_size > 10_000


def test_the_command_fails_if_the_difference_is_too_large(tmp_path, monkeypatch):
    save_encoder(tiny.random_encoder(), tmp_path / "encoder")
    arguments = ["--encoder", f"{tmp_path}/encoder", "--output", f"{tmp_path}/e.onnx"]
    monkeypatch.setattr(sys, "argv", ["export_onnx", *arguments, "--tolerance", "0"])
    with pytest.raises(SystemExit, match="do not use this file"):
        command.main()
