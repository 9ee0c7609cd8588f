"""The time of widths out of a table: by hand, against MACs, its gradient, its file."""

import dataclasses
import json

import pytest
import torch
from latency_table import SECONDS, line, mac_table
from tiny import random_encoder, tiny_config

from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.cost import macs
from pruneasr.pruning.latency import Grid, latency, load_table, save_table
from pruneasr.pruning.plan import plan_removal
from pruneasr.pruning.planned import planned_config
from pruneasr.pruning.report import markdown, summarize
from pruneasr.pruning.units import attach_gates, find_gates
from pruneasr.pruning.widths import config_widths, expected_widths

UNITS = ("conv", "qk", "vo", "ffn", "mha_layer", "ffn_layer")
# 2 x 3 points: rows of widths 2 and 4, columns of widths 0, 10 and 30
GRID = Grid(((2.0, 4.0), (0.0, 10.0, 30.0)), (0.0, 1.0, 2.0, 4.0, 6.0, 10.0))


def gated(units=UNITS, std=2.0):
    encoder = random_encoder()
    attach_gates(encoder, units)
    torch.manual_seed(0)
    for gate in find_gates(encoder).values():
        torch.nn.init.normal_(gate.log_alpha, std=std)
    return encoder


@pytest.mark.parametrize(
    ("widths", "ms"),
    [
        ((2, 0), 0.0),
        ((4, 30), 10.0),
        ((2, 20), 1.5),
        ((3, 10), 3.5),
        ((3, 5), 0.5 * 0.5 + 0.5 * 5.0),
        ((2.5, 25), 0.75 * 1.75 + 0.25 * 9.0),
        ((1, -3), 0.0),
        ((9, 99), 10.0),
    ],
)
def test_interpolation_by_hand(widths, ms):
    tensors = [torch.tensor([float(width)]) for width in widths]
    assert GRID(*tensors).item() == pytest.approx(ms)


def test_gradient_by_hand_and_none_beyond_the_ends():
    rows = torch.tensor([3.0, 9.0], requires_grad=True)
    columns = torch.tensor([5.0, 20.0], requires_grad=True)
    GRID(rows, columns).sum().backward()
    # (5 - 0.5) / 2; half of 0.1 and half of 0.2; beyond 4 rows; (10 - 6) / 20
    assert rows.grad.tolist() == pytest.approx([2.25, 0.0])
    assert columns.grad.tolist() == pytest.approx([0.15, 0.2])


@pytest.mark.parametrize("seed", range(5))
def test_a_table_of_macs_gives_the_macs(seed):
    config = tiny_config()
    generator = torch.Generator().manual_seed(seed)
    plan = {
        key: torch.rand(gate.log_alpha.shape, generator=generator) < 0.5
        for key, gate in find_gates(gated()).items()
    }
    for i in range(7):
        plan["conv", i][0] = True
    widths = config_widths(planned_config(config, plan))
    times, counts = latency(mac_table(config), widths), macs(config, widths, SECONDS)
    for part in ("cnn", "mha_ffn", "rest", "total"):
        assert getattr(times, part) == pytest.approx(getattr(counts, part))


def test_the_dense_time_is_the_sum_of_the_parts():
    table = mac_table(tiny_config(), per_head=1e6)
    parts = [grid.ms[-1] for grid in (*table.conv, table.projection)]
    blocks = [table.heads.ms[-1], table.attention.ms[-1], table.feed_forward.ms[-1]]
    whole = latency(table, config_widths(table.config)).total
    assert isinstance(whole, float)
    assert whole == pytest.approx(sum(parts) + 3 * sum(blocks) + table.rest)


def test_a_branch_that_is_gone_takes_no_time():
    table = mac_table(tiny_config(), per_head=1e6)
    dense = config_widths(table.config)
    gone = dataclasses.replace(dense.blocks[0], attention=0, feed_forward=0)
    half = dataclasses.replace(dense.blocks[0], attention=0.5, feed_forward=0.5)

    def branches(*blocks):
        return latency(table, dataclasses.replace(dense, blocks=blocks)).mha_ffn

    assert branches(gone, gone) == 0
    assert branches(half, gone) == pytest.approx(branches(dense.blocks[0]) / 2)


def test_columns_are_on_top_of_the_heads():
    table = mac_table(tiny_config(), per_head=100.0)
    # what all heads take without columns stands in the attention's first point too
    raised = tuple(ms + 400.0 for ms in table.attention.ms)
    attention = dataclasses.replace(table.attention, ms=raised)
    table = dataclasses.replace(table, attention=attention)
    dense = config_widths(table.config)
    block = dataclasses.replace(dense.blocks[0], heads=1, qk=0, vo=0, feed_forward=0)
    one_head = dataclasses.replace(dense, blocks=(block,))
    assert latency(table, one_head).mha_ffn == pytest.approx(100.0)


def test_every_gate_has_a_finite_gradient_against_time():
    encoder = gated()
    latency(mac_table(encoder.config), expected_widths(encoder)).total.backward()
    for key, gate in find_gates(encoder).items():
        assert gate.log_alpha.grad.isfinite().all(), key
        assert (gate.log_alpha.grad >= 0).all(), key
        assert gate.log_alpha.grad.any(), key


def test_expected_time_of_open_and_of_half_open_gates():
    table = mac_table(tiny_config())
    encoder = gated(("ffn",))
    dense = latency(table, config_widths(encoder.config)).total
    for gate in find_gates(encoder).values():
        gate.log_alpha.data.fill_(50.0)
    widths = expected_widths(encoder)
    assert latency(table, widths).total.item() == pytest.approx(dense)
    blocks = tuple(dataclasses.replace(b, ffn=b.ffn / 2) for b in widths.blocks)
    left = latency(table, dataclasses.replace(widths, blocks=blocks)).total
    saved = 3 * table.feed_forward.ms[-1] / 2
    assert dense - left.item() == pytest.approx(saved, rel=1e-4)


def pull(**options):
    """How much sparsity each gate of an even encoder gains by closing a little."""
    encoder = gated(("conv", "ffn"), std=0.0)
    constraint = Constraint(
        encoder.config, ("conv", "ffn"), target=0.1, warmup_steps=0, **options
    )
    constraint.lambda1.data.fill_(1.0)
    constraint(expected_widths(encoder), 0)[0].backward()
    gates = find_gates(encoder).items()
    return {key: -float(gate.log_alpha.grad.mean()) for key, gate in gates}


def test_what_is_slow_per_mac_goes_first():
    table = mac_table(tiny_config(), conv_price=20.0)
    by_macs = pull(kind="mac", reference_sec=SECONDS)
    by_time = pull(kind="latency", latency_table=table)
    favoured = {key: by_time[key] / by_macs[key] for key in by_macs}
    ffn = favoured["ffn", 0]
    for i in range(6):  # a channel of the last one is also one of the projection
        assert favoured["conv", i] == pytest.approx(20.0 * ffn, rel=1e-4)
    assert ffn < favoured["conv", 6] < 20.0 * ffn
    # so here the order turns: an inner dimension was the better one to close
    assert by_macs["conv", 6] < by_macs["ffn", 0]
    assert by_time["conv", 6] > by_time["ffn", 0]


def test_a_table_survives_its_file(tmp_path):
    table = mac_table(tiny_config())
    save_table(table, tmp_path / "latency.json")
    assert load_table(tmp_path / "latency.json") == table
    constraint = Constraint(
        tiny_config(dropout=0.1),  # of no consequence
        UNITS,
        kind="latency",
        target=0.5,
        warmup_steps=1,
        latency_table=load_table(tmp_path / "latency.json"),
    )
    assert constraint.table == table


def edited(**values):
    return lambda table: table | values


BROKEN = {
    "version": (edited(version=2), "version 1"),
    "missing": (lambda t: {k: t[k] for k in t if k != "heads"}, "expected the keys"),
    "unknown": (edited(batch=1), "expected the keys"),
    "falls": (
        edited(projection={"axes": [[0, 16]], "ms": [2, 1]}),
        "do not fall as a width grows",
    ),
    "not ascending": (edited(heads={"axes": [[4, 1]], "ms": [1, 2]}), "ascending"),
    "not a number": (edited(rest=float("nan")), "rest >= 0"),
    "too few": (edited(heads={"axes": [[1, 4]], "ms": [1]}), "shape .2."),
    "too short": (edited(heads={"axes": [[1, 2]], "ms": [1, 2]}), "heads to reach .4"),
    "convolutions": (lambda t: t | {"conv": t["conv"][:-1]}, "7 grids"),
    "words": (edited(heads={"axes": [[1, 4]], "ms": ["a", "b"]}), "convert string"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused(tmp_path, case):
    edit, message = BROKEN[case]
    path = tmp_path / "latency.json"
    save_table(mac_table(tiny_config()), path)
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    with pytest.raises(ValueError, match=message) as error:
        load_table(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "Measure it with" in str(error.value)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ValueError, match=r"none\.json.*Measure it with"):
        load_table(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "latency"}, "expected a latency_table with kind latency"),
        (
            {"kind": "mac", "latency_table": mac_table(tiny_config())},
            "and with no other",
        ),
        (
            {"kind": "latency", "latency_table": mac_table(tiny_config(dim=64))},
            "encoder with other .*dim",
        ),
        (
            {"kind": "latency", "latency_table": mac_table(tiny_config()), "target": 1},
            "leave at least",
        ),
    ],
)
def test_a_table_must_be_there_and_fit(options, message):
    with pytest.raises(ValueError, match=message):
        Constraint(
            tiny_config(), UNITS, **{"target": 0.5, "warmup_steps": 1, **options}
        )


def test_a_grid_needs_a_rising_line():
    with pytest.raises(ValueError, match="do not fall"):
        line(4, -1.0)


def test_the_report_counts_milliseconds():
    encoder, table = gated(), mac_table(tiny_config())
    options = {"target": 0.5, "kind": "latency", "latency_table": table}
    constraint = Constraint(encoder.config, UNITS, warmup_steps=1, **options)
    left = planned_config(encoder.config, plan_removal(encoder, constraint))
    with torch.no_grad():
        expected = expected_widths(encoder)
    report = summarize(encoder.config, left, expected, constraint, 0.0)
    ms = [latency(table, config_widths(c)).total for c in (encoder.config, left)]
    assert report["ms"]["total"] == pytest.approx(ms, abs=1e-3)
    assert report["sparsity"]["actual"]["latency"] == pytest.approx(1 - ms[1] / ms[0])
    text = markdown(json.loads(json.dumps(report)))
    assert "; ms for 2 s on none, cpu, float32, 1 threads." in text
    assert f"| ms | total | {ms[0]:,.1f} | " in text
