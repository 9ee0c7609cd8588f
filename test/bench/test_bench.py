"""The drawn shapes, the tables, and that removed MACs are removed time."""

import json
import re

import pytest
import torch
from tiny import random_encoder, tiny_config

from pruneasr.bench.backends import BACKENDS, precision, runner
from pruneasr.bench.measure import Setting, measure, peak_memory
from pruneasr.bench.references import references
from pruneasr.bench.shapes import SHAPES, Shape, draw_config
from pruneasr.bench.table import markdown
from pruneasr.bench.timing import alternate, ratio
from pruneasr.bin import bench
from pruneasr.encoder import dense_config, save_encoder
from pruneasr.encoder.initialize import random_encoder as untrained
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.widths import config_widths


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("seed", [0, 1])
def test_drawn_shapes_have_the_size_of_the_paper(name, seed):
    shape, dense = SHAPES[name], dense_config("wavlm")
    config = draw_config(shape, seed)
    left = parameters(config, config_widths(config)).mha_ffn / 85_017_600
    assert left == pytest.approx(shape.mha_ffn, rel=1e-3)
    if shape.macs is not None:
        whole = macs(dense, config_widths(dense)).total
        assert macs(config, config_widths(config)).total <= shape.macs * whole
    heads = [head.vo for block in config.blocks for head in block.heads]
    assert len(set(heads)) > 10
    absent = [b for b in config.blocks if not (b.attention and b.feed_forward)]
    assert bool(absent) == (shape.branches_gone > 0)


def test_a_draw_is_repeated_by_its_seed_and_refuses_the_impossible():
    assert draw_config(SHAPES["w23"], 3) == draw_config(SHAPES["w23"], 3)
    assert draw_config(SHAPES["w23"], 3) != draw_config(SHAPES["w23"], 4)
    with pytest.raises(ValueError, match="Change the shape"):
        draw_config(Shape(0.9, branches_gone=0.5))


@pytest.mark.parametrize("family", ["wavlm", "hubert", "wav2vec2", "data2vec"])
def test_references_are_as_large_as_ours(family):
    encoder = random_encoder(tiny_config(family=family, pos_conv_layers=1))
    ours = sum(p.numel() for p in encoder.parameters())
    for name, model in references(encoder.config).items():
        theirs = sum(p.numel() for p in model.parameters())
        # weight norm of the positional convolution, mask vectors, norms of WavLM
        assert theirs == pytest.approx(ours, rel=0.02), name
        model(torch.randn(1, 4000))


def test_only_a_dense_encoder_has_references():
    config = draw_config(Shape(0.3), dense=tiny_config())
    with pytest.raises(ValueError, match="Give the dense encoder first"):
        references(config)


def test_rounds_alternate():
    order = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    seconds = alternate(calls, 3)
    assert order == ["a", "b"] * 3
    assert [len(values) for values in seconds.values()] == [3, 3]
    assert ratio([2.0, 4.0, 9.0], [1.0, 1.0, 3.0]) == 3.0


def test_peak_memory_sees_what_a_call_allocates():
    assert peak_memory(lambda: torch.ones(50_000_000), "cpu") > 150e6
    assert peak_memory(lambda: None, "cpu") < 20e6


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "compile"])
def test_backends_run_any_length(backend):
    if backend.startswith("onnx"):
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    encoder = random_encoder(draw_config(Shape(0.4), dense=tiny_config()))
    run = runner(encoder, backend)
    run(torch.randn(2, 4000))
    run(torch.randn(1, 6000))


def test_onnx_refuses_other_libraries_and_types():
    with pytest.raises(ValueError, match="runs encoders; found Linear"):
        runner(torch.nn.Linear(1, 1), "onnx")
    with pytest.raises(ValueError, match="expected float32 with backend onnx"):
        Setting(backend="onnx", dtype="bfloat16")


def test_bfloat16_casts_a_weight_once():
    layer = torch.nn.Linear(8, 8)
    with precision("cpu", "bfloat16"):
        run = runner(layer, "eager")
        first = run(torch.ones(1, 8))
        layer.weight.data.zero_()  # unseen: the cast is kept
        assert first.dtype == torch.bfloat16
        assert torch.equal(run(torch.ones(1, 8)), first)


def test_the_command_measures_directories(tmp_path, capsys):
    dense = tiny_config()
    pruned = draw_config(Shape(0.3), dense=dense)
    paths = [str(tmp_path / name) for name in ("dense", "pruned")]
    for path, config in zip(paths, (dense, pruned), strict=True):
        save_encoder(random_encoder(config), path)
    json_path, png = tmp_path / "speed.json", tmp_path / "speed.png"
    options = ["--seconds", "0.5", "--repeats", "2", "--json", str(json_path)]
    bench.main([*paths, *options, "--png", str(png)])
    rows = {row["name"]: row for row in json.loads(json_path.read_text())["rows"]}
    assert set(rows) == {*paths, "torchaudio", "transformers"}
    assert rows[paths[1]]["macs"] == macs(pruned, config_widths(pruned), 0.5).total
    assert rows[paths[0]]["faster"][paths[0]] == 1.0
    assert png.read_bytes().startswith(b"\x89PNG")
    assert re.search(r"\| x torchaudio \| x transformers \|", capsys.readouterr().out)


@pytest.mark.integration
def test_removed_macs_are_removed_time():
    """A generous margin: the target is 0.8 on WavLM Base, and machines are noisy."""
    sizes = {"dim": 256, "num_heads": 4, "ffn": 1024, "num_blocks": 2}
    dense = dense_config("wavlm", conv_channels=(64,) * 7, **sizes)
    config = draw_config(Shape(0.3, macs=0.5), dense=dense)
    encoders = {
        "dense": untrained(dense, 0).eval(),
        "pruned": untrained(config, 0).eval(),
    }
    setting = Setting(seconds=5.0, repeats=5)
    rows = {row.name: row for row in measure(encoders, setting)}
    assert rows["pruned"].macs_per_sec > 0.4 * rows["dense"].macs_per_sec
    assert "| pruned |" in markdown(list(rows.values()))
