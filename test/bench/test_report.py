"""The report: where the time goes, curves, training steps, int8, targets."""

import re
import time

import numpy as np
import pytest
import soundfile
import torch
from tiny import random_encoder, tiny_config

from pruneasr.bench import report
from pruneasr.bench.clock import Clock
from pruneasr.bench.curves import curve_tables, large_config, plot_lengths, point
from pruneasr.bench.measure import Row, Setting
from pruneasr.bench.parts import NAMES, Parts, time_parts
from pruneasr.bench.progress import Progress
from pruneasr.bench.quantization import loss_on_data, synthetic_audio
from pruneasr.bench.shapes import SHAPES, draw_config
from pruneasr.bench.targets import Target, targets_table
from pruneasr.bench.training import PARTS, training_times
from pruneasr.bin import bench
from pruneasr.encoder import dense_config, save_encoder
from pruneasr.pruning.cost import parameters
from pruneasr.pruning.widths import config_widths


def row(name, seconds, macs=10**9, **faster):
    return Row(name, 10**6, macs, seconds, 10.0, 10**6, faster)


def test_a_clock_takes_inner_parts_out_of_outer_ones():
    clock = Clock()
    with clock.part("outer"):
        time.sleep(0.02)
        with clock.part("inner"):
            time.sleep(0.05)
            assert clock.inside("outer")
    assert not clock.inside("outer")
    seconds = clock.take()
    assert set(seconds) == {"outer", "inner"}
    assert seconds["inner"] >= 0.05
    assert 0.02 <= seconds["outer"] < 0.045
    assert clock.take() == {}


def test_the_parts_of_an_encoder_are_all_of_its_time():
    encoder = random_encoder()
    hooks = {n: len(m._forward_hooks) for n, m in encoder.named_modules()}
    parts = time_parts({"dense": encoder}, Setting(seconds=1.0, repeats=2))["dense"]
    assert set(parts.seconds) == set(NAMES)
    assert min(parts.seconds.values()) > 0
    assert hooks == {n: len(m._forward_hooks) for n, m in encoder.named_modules()}
    assert parts.at_rates_of(parts) == pytest.approx(parts.total)


def test_rates_of_another_model_scale_by_macs():
    dense = Parts(dict(zip(NAMES, (2.0, 1.0, 1.0, 0.5), strict=True)), 200, 100)
    pruned = Parts(dict(zip(NAMES, (1.5, 1.0, 1.0, 0.5), strict=True)), 100, 50)
    assert pruned.at_rates_of(dense) == pytest.approx(1.0 + 1.0 + 0.5)


def test_points_take_more_rounds_the_shorter_they_are():
    rounds = [point(s).repeats for s in (1, 5, 10, 60)]
    assert rounds == sorted(rounds, reverse=True)
    assert rounds[-1] == 2
    assert point(5, 16) == Setting(batch=16, seconds=5.0, repeats=2)


def test_large_is_as_large_as_published():
    config = large_config()
    # 315.5 M, Chen et al. 2022, Table I
    assert parameters(config, config_widths(config)).total == pytest.approx(
        315.5e6, rel=2e-3
    )
    for shape in SHAPES.values():
        draw_config(shape, dense=config)


def test_curves_put_points_side_by_side(tmp_path):
    points = {1.0: [row("a", [0.1, 0.3, 0.2]), row("b", [1.0])], 5.0: [row("a", [1.5])]}
    table = curve_tables({f"{s:g} s": rows for s, rows in points.items()})
    assert "| a | 200 | 1500 |" in table
    assert "| b | 1000 | - |" in table
    assert "| a | 5 | 1 |" in table  # GMAC/s
    plot_lengths(points, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_parts_of_a_training_step(tmp_path, capsys):
    path = str(tmp_path / "dense")
    save_encoder(random_encoder(tiny_config(num_blocks=1)), path)
    bench.main(
        ["--training", path, "--batch", "2", "--seconds", "0.5", "--repeats", "1"]
    )
    setting, _, *lines = capsys.readouterr().out.splitlines()
    assert setting.startswith("eager, float32, batch 2 x 0.5 s, cpu")
    names = [line.split(" | ")[0].strip("| ") for line in lines]
    assert names[2:6] == [
        *("without gates", "with gates", "with gates, bfloat16"),
        "with gates, activation checkpointing",
    ]
    assert lines[2].split(" | ")[8] == "1.000"


def test_parts_of_a_step_are_charged_where_they_belong():
    encoder = random_encoder(tiny_config(num_blocks=1))
    times = training_times(encoder, batch=1, seconds=0.5, repeats=3)
    assert all(set(step.parts) == set(PARTS) for step in times.values())
    for step in times.values():
        assert min(min(seconds) for seconds in step.parts.values()) > 0
    # the least of the rounds: a busy machine may stop any of them for a while
    gates = {name: min(step.parts["gates"]) for name, step in times.items()}
    assert gates["with gates"] > 3 * gates["without gates"]


def test_int8_changes_little_and_speakers_are_told(tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    encoder = random_encoder(tiny_config(num_blocks=1))
    save_encoder(encoder, tmp_path / "encoder")
    generator = np.random.default_rng(0)
    wav, speakers = [], []
    voices = generator.normal(size=(2, 4000)) * 0.1
    for i in range(8):  # two synthetic speakers who say almost the same every time
        samples = voices[i % 2] + generator.normal(size=4000) * 0.001
        soundfile.write(tmp_path / f"{i}.wav", samples, 16000)
        wav.append(f"{i} {tmp_path}/{i}.wav\n")
        speakers.append(f"{i} speaker{i % 2}\n")
    (tmp_path / "wav.scp").write_text("".join(wav))
    (tmp_path / "utt2spk").write_text("".join(speakers))
    loss = loss_on_data(tmp_path / "encoder", tmp_path)
    assert loss.accuracy == (1.0, 1.0)
    assert loss.tested == 4
    assert 0 < loss.last_error < 0.2
    assert loss.last_error <= loss.largest_error
    assert 0.98 < loss.cosine < 1
    assert "Linear classifier of 2 speakers, 4 utterances" in str(loss)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "expected encoder directories, --training, --int8 or --report"),
        ("--int8 a", "--int8 needs --data"),
        ("--report a --int8 b", "--int8 needs --data"),
        ("--report a --data b", "--data needs encoder directories or --int8"),
        ("--data b", "--data needs encoder directories or --int8"),
        ("a --report b", "found encoders too"),
        ("--report b --device cpu --dtype float32", "found device, dtype too"),
        ("--report b --batch 1 --json c", "found batch, json too"),
        ("--int8 a --data b --readme c", "goes with data; found readme too"),
        ("--int8 a --data b --repeats 3", "found repeats too"),
        ("--training a --data b --backend onnx", "found backend, data too"),
        ("--training a --dtype bfloat16 --png c", "found dtype, png too"),
        ("a b --training c", "found encoders too"),
        ("a b --readme c", "found readme too"),
        ("a b --data c --batch 2 --seconds 5", "found batch, seconds too"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(options, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        bench.main(options.split())
    assert message in capsys.readouterr().err


def test_a_measurement_follows_its_options(tmp_path, monkeypatch, capsys):
    called = []
    monkeypatch.setattr(bench, "measure", lambda *a: called.append(a[1]) or [])
    monkeypatch.setattr(bench, "read_audio", lambda _: [torch.zeros(16000)])
    monkeypatch.setattr(bench, "markdown", str)
    save_encoder(random_encoder(), tmp_path)
    common = [str(tmp_path), "--dtype", "bfloat16"]
    bench.main(common)
    bench.main([*common, "--batch", "2", "--seconds", "3", "--repeats", "4"])
    bench.main([*common, "--data", "d"])
    assert called == [
        Setting(dtype="bfloat16"),
        Setting(dtype="bfloat16", batch=2, seconds=3.0, repeats=4),
        Setting(dtype="bfloat16", repeats=5),
    ]
    assert "all of d (1 utterances, 1 s)" in capsys.readouterr().out


def test_the_first_table_goes_into_a_readme(tmp_path, monkeypatch):
    text = f"## Targets\n\n| a |\n\n## {report.MAIN}\n\n| b |\n| c |\n\n## x\n\n| d |"
    called = []
    monkeypatch.setattr(bench, "write_report", lambda *a: called.append(a) or text)
    readme = tmp_path / "README.md"
    readme.write_text("<!-- results of speed -->\n<!-- end of speed -->\n")
    bench.main(["--report", str(tmp_path), "--readme", str(readme)])
    lines = readme.read_text().splitlines()
    assert lines == ["<!-- results of speed -->", "| b |", "| c |", lines[-1]]
    command = f"python -m pruneasr.bin.bench --report {tmp_path} --readme {readme}"
    assert called == [(tmp_path, command, None, None)]


def test_synthetic_audio_has_the_rhythm_of_speech():
    audio = synthetic_audio(utterances=1, seconds=2.0)[0]
    power = audio.square().unflatten(0, (-1, 400)).mean(1)  # 40 a second
    rhythm = torch.fft.rfft(power - power.mean()).abs()
    assert int(rhythm.argmax()) == 8  # 4 Hz in 2 s
    half = torch.fft.rfft(audio).abs().square()
    assert half[:4000].sum() > 10 * half[4000:].sum()


def test_targets_are_met_or_missed_by_a_share_of_their_limit():
    met = Target("a", "x", found=2.0, limit=2.0, bound="none")
    missed = Target("b", "x", found=1.5, limit=2.0, bound="half of it is b")
    again = Target("b", "y", found=1.9, limit=2.0, bound="half of it is b")
    slow = Target("c", "y", found=1.1, limit=1.0, bound="c", at_most=True)
    assert [t.outcome for t in (met, missed, slow)] == [
        *("met", "MISSED by 25.0 %", "MISSED by 10.0 %")
    ]
    table = targets_table([met, missed, again, slow])
    assert "| b | x | 1.50 | >= 2 | MISSED by 25.0 % |" in table
    assert "- b, x; y: half of it is b\n" in table
    assert "- a" not in table
    assert "bounds" not in targets_table([met])


def test_the_time_left_follows_what_was_taken(capsys):
    progress = Progress(expected_sec=0.2)
    progress.run("first", 0.1, lambda: time.sleep(0.3))
    assert progress.run("second", 0.1, lambda: 7) == 7
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "first ... 0 s, 0 min left"
    assert lines[1].startswith("second ... 0 s, 0 min left")


@pytest.mark.integration
@pytest.mark.timeout(600)
def test_the_whole_report_of_small_models(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    for name in ("MAIN", "BFLOAT16", "ONNX", "INT8", "PROFILED", "PROFILED_BFLOAT16"):
        setting = getattr(report, name)
        small = Setting(setting.device, setting.dtype, setting.backend, 1, 1.0, 2)
        monkeypatch.setattr(report, name, small)
    monkeypatch.setattr(report, "LARGE", Setting(seconds=1.0, repeats=2))
    monkeypatch.setattr(report, "TRAINING", Setting(batch=2, seconds=0.5, repeats=1))
    sizes = {"dim": 64, "num_heads": 4, "ffn": 256, "conv_channels": (64,) * 7}
    config = dense_config("wavlm", num_blocks=6, **sizes)
    few = report.Sizes(config, config, (0.5, 1.0), (1, 2))
    text = report.write_report(tmp_path, "bench --report", sizes=few)
    assert text == (tmp_path / "RESULTS.md").read_text()
    for name in ("speed.png", "curves.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles[:2] == ["Environment", "Targets"]
    assert len(titles) == len(set(titles)) == 13
    assert "\n```\nbench --report\n```\n\n- date: " in text
    assert text.count("Run by torch, eager: torchaudio.") == 2  # onnx and onnx-int8
    assert text.count("| met |") + text.count("| MISSED by") == 12
    _, found = text.split("\n## Targets\n")
    assert found.count("\n- ") <= text.count("| MISSED by")
    assert "random weights, on synthetic noise" in text
