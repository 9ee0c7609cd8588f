"""Measuring a latency table: its points, its order, the command."""

import pytest
import torch
from tiny import VARIANTS, random_encoder, tiny_config

from pruneasr.bench.latency import measure_table, monotone_grid
from pruneasr.bin import latency as command
from pruneasr.encoder import save_encoder
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.latency import load_table


def test_noise_does_not_make_a_wider_part_faster():
    points = {(2,): 3.0, (4,): 5.0, (8,): 4.0}
    assert monotone_grid(points, from_zero=True).ms == (0.0, 3.0, 4.0, 4.0)
    assert monotone_grid(points).axes == ((2, 4, 8),)
    square = {(1, 1): 1.0, (1, 2): 9.0, (2, 1): 2.0, (2, 2): 4.0}
    assert monotone_grid(square).ms == (1.0, 4.0, 2.0, 4.0)


@pytest.mark.parametrize("variant", ["wavlm-base", "wav2vec2-large"])
def test_every_part_is_measured(variant):
    config = tiny_config(**VARIANTS[variant])
    table, whole = measure_table(config, seconds=0.1, repeats=1)
    assert table.config == config
    assert table.threads == torch.get_num_threads()
    assert [grid.axes[0][-1] for grid in table.conv] == [1.0, *[16.0] * 6]
    assert table.attention.axes == ((4, 8, 16, 24, 32),) * 2
    assert table.conv[1].axes == ((1, 2, 4, 8, 12, 16),) * 2
    assert table.heads.axes == ((1, 2, 3, 4),)
    assert table.feed_forward.axes == ((0, 1, 4, 8, 16, 32, 48, 64),)
    assert table.feed_forward.ms[0] == 0.0
    assert min(table.feed_forward.ms[1], table.heads.ms[0], table.rest, whole) > 0


def test_the_command_writes_what_a_constraint_reads(tmp_path, capsys):
    save_encoder(random_encoder(), tmp_path / "dense")
    path = tmp_path / "exp" / "latency.json"
    options = ["--seconds", "0.1", "--repeats", "1", "--dtype", "bfloat16"]
    command.main([str(tmp_path / "dense"), "--output", str(path), *options])
    assert load_table(path).dtype == "bfloat16"
    assert "the whole encoder" in capsys.readouterr().out
    Constraint(
        tiny_config(),
        ("conv", "ffn"),
        kind="latency",
        target=0.0,  # what can be reached depends on the machine
        warmup_steps=1,
        latency_table=load_table(path),
    )


def test_the_command_refuses_devices_that_are_not_there(tmp_path, capsys):
    options = ["--output", str(tmp_path / "latency.json"), "--device", "gpu"]
    with pytest.raises(SystemExit, match="1"):
        command.main([str(tmp_path), *options])
    assert ": expected a device as cpu or cuda:0; found gpu" in capsys.readouterr().err


@pytest.mark.parametrize("options", [{"seconds": 0.02}, {"repeats": 0}])
def test_too_little_is_refused(options):
    with pytest.raises(ValueError, match=r"at least 0\.025 seconds and 1 repeat"):
        measure_table(tiny_config(), **options)
