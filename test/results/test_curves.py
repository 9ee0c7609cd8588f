"""RESULTS_HJ.md: points from folders, verdicts by hand."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny import random_encoder, tiny_config

from pruneasr.bin.hj_results import main
from pruneasr.encoder import save_encoder
from pruneasr.pruning.widths import config_widths
from pruneasr.results.collect import METRICS
from pruneasr.results.curves import Point, collect_points, curves_markdown
from pruneasr.results.runs import Run
from pruneasr.results.speed import Speeds

WER = METRICS["asr"][0]


def write_point(folder, name, wer, ffn=64, finished=True):
    """One point as run_hj.sh leaves it."""
    seed = name.rpartition("seed")[2]
    decode = folder / name / "tuned" / f"asr_pruned_seed{seed}" / "decode" / "test"
    decode.mkdir(parents=True)
    (decode / "score_wer.json").write_text(json.dumps({"Err": wer}))
    encoder = folder.parent / "teacher"
    if not name.startswith("dense"):
        encoder = folder / name / "pruned"
        save_encoder(random_encoder(tiny_config(ffn=ffn)), encoder)
    (decode.parents[1] / "config.yaml").write_text(
        f"frontend_conf:\n    ckpt: {encoder}\ntrain_data_path_and_name_and_type: []\n"
    )
    if finished:
        (folder / name / ".tuned").touch()


@pytest.fixture
def points_dir(tmp_path):
    save_encoder(random_encoder(), tmp_path / "teacher")
    for name, wer in (("dense_0_seed1", 20.0), ("dense_0_seed2", 22.0)):
        write_point(tmp_path / "hj", name, wer)
    write_point(tmp_path / "hj", "sep_mac_30_seed1", 31.0, ffn=32)
    write_point(tmp_path / "hj", "sep_mac_30_seed2", 33.0, ffn=16)
    write_point(tmp_path / "hj", "mac_30_seed1", 25.0, ffn=32)
    write_point(tmp_path / "hj", "mac_50_seed1", 1.0, finished=False)
    wave = 0.1 * np.random.default_rng(0).standard_normal(16000)
    soundfile.write(tmp_path / "a.wav", wave, 16000)
    (tmp_path / "wav.scp").write_text(f"a {tmp_path}/a.wav\n")
    (tmp_path / "hj" / "commands").write_text("run_hj.sh  # commit c\n")
    return tmp_path


def test_points_are_the_finished_folders(points_dir):
    points = collect_points(points_dir / "hj", ["test"], WER)
    names = [(point.method, point.percent) for point in points]
    assert names == [("dense", 0), ("mac", 30), ("sep_mac", 30)]
    assert points[2].errors("test") == [31.0, 33.0]
    sizes = [
        sum(p.numel() for p in random_encoder(tiny_config(ffn=ffn)).parameters())
        for ffn in (32, 16)
    ]
    assert [run.num_parameters for run in points[2].runs] == sizes


@pytest.mark.parametrize("name", ["an_idea_seed1", "30_seed1"])
def test_a_finished_folder_of_another_name_is_named(points_dir, name):
    write_point(points_dir / "hj", name, 20.0)
    with pytest.raises(ValueError, match=f"expected <method>_<percent>.*found {name};"):
        collect_points(points_dir / "hj", ["test"], WER)


def run(encoder, error=10.0):
    """A run of an encoder that only its time tells from others."""
    widths = config_widths(tiny_config())
    return Run(Path("r"), 1, Path("r/t"), encoder, widths, 1, 1, {"test": error})


def test_understanding_is_read_as_errors():
    metric = METRICS["slu"][0]
    encoders = (Path("a"), Path("b"))
    point = Point("dense", 0, [run(path) for path in encoders])
    speeds = Speeds(dict.fromkeys(encoders, 1.0), 0.0)
    text = curves_markdown("T", [], [point], speeds, ["test"], metric)
    assert "| 100 - slot F1 % test |" in text
    assert metric.error(90.0) == 10.0


def test_time_is_the_mean_over_seeds_and_relative_to_dense():
    paths = [Path(name) for name in "abcd"]
    points = [
        Point("dense", 0, [run(path) for path in paths[:2]]),
        Point("mac", 30, [run(path) for path in paths[2:]]),
    ]
    factors = dict(zip(paths, (0.004, 0.006, 0.001, 0.003), strict=True))
    text = curves_markdown("T", [], points, Speeds(factors, 0.0), ["test"], WER)
    assert "| 0.00500 | 100.0 |" in text
    assert "| 0.00200 | 40.0 |" in text


def point(method, percent, *errors, num_macs=1, **options):
    """A point whose runs differ in their errors only, the same on both test sets."""
    return Point(
        method,
        percent,
        [
            dataclasses.replace(
                run(Path("e"), error),
                num_macs=num_macs,
                errors={"test": error, "other": error},
                **options,
            )
            for error in errors
        ],
    )


def page(*points, test_sets=("test",)):
    speeds = Speeds({Path("e"): 1.0}, 0.0)
    return curves_markdown("T", [], points, speeds, test_sets, WER)


def test_what_holds_of_the_claims():
    text = page(
        point("dense", 0, 20.0, 22.0, num_macs=1000),
        point("mac", 10, 10.0, 12.0),  # ten below: 7.1 standard errors, Student has 4.3
        point("mac", 20, 20.5, 22.5),
        point("transformer", 20, 30.0, 32.0),
        point("sep_mac", 20, 31.0, 31.5),
        point("mac", 30, 25.0),
        point("mac", 50, 40.0, 41.0),
        point("mac", 40, 20.5, 23.5),
        point("size", 30, 19.0, num_macs=912),
    )
    assert (
        "On test:\n\n"
        "- [P23]: better than dense with 10, 20, 30 % fewer MACs\n"
        "  - `mac` against `dense` at 10, 20, 30 %: significantly better at 10 %; not "
        "significantly different at 20 %; open, one seed cannot tell at 30 %\n"
        "  - `sep_mac` against `dense` at 20 %: significantly worse at 20 %\n"
        "  - `transformer` against `dense` at 20 %: significantly worse at 20 %\n"
        "- [P23]: no worse than dense with 40, 50 % fewer MACs\n"
        "  - `mac` against `dense` at 40, 50 %: significantly worse at 50 %; not "
        "significantly different at 40 %\n"
        "- convolutions pruned too, with equal MACs\n"
        "  - `mac` against `transformer` at 20 %: significantly better at 20 %\n"
        "  - `sep_mac` against `transformer` at 20 %: not significantly different at "
        "20 %\n"
        "- no part of these claims, for its budget is not of MACs: 91 % of them left "
        "at 30 %\n"
        "  - `size` against `dense` at 30 %: open, one seed cannot tell at 30 %\n\n"
    ) in text


def test_every_test_set_is_judged_and_the_one_of_the_figures_named():
    points = (point("dense", 0, 20.0, 22.0), point("mac", 10, 10.0, 12.0))
    text = page(*points, test_sets=("test", "other"))
    for test_set in ("test", "other"):
        assert f"On {test_set}:\n\n- [P23]: better than dense" in text
    assert "The figures are of test." in text


def test_macs_of_another_length_than_the_budgets_are_said():
    dense = point("dense", 0, 20.0, num_macs=1000)
    same = point("mac", 30, 20.0, num_macs=700, reference_sec=10.0, macs_left=70.0)
    other = point("mac", 30, 20.0, num_macs=710, reference_sec=3.0, macs_left=70.0)
    assert "length that the budget had" not in page(dense, same)
    assert "the budget had: `mac` 30: 70.0 % at 3 s." in page(dense, other)


def test_a_run_tells_the_length_that_its_pruning_counted(points_dir):
    encoder = points_dir / "hj" / "mac_30_seed1" / "pruned"
    report = {"reference_sec": 3.0, "macs": {"total": [200, 140]}}
    save_encoder(random_encoder(), encoder, report)
    dense, mac, _ = collect_points(points_dir / "hj", ["test"], WER)
    assert (dense.runs[0].reference_sec, dense.runs[0].macs_left) == (None, 100)
    assert (mac.runs[0].reference_sec, mac.runs[0].macs_left) == (3.0, 70)


def test_command_line(points_dir, capsys, caplog):
    encoder = points_dir / "hj" / "mac_30_seed1" / "pruned"
    gone = points_dir / "gone"
    made = {"teacher": "teacher", "experiment": str(gone), "sparsity": {}}
    save_encoder(random_encoder(tiny_config(ffn=32)), encoder, made)
    main(
        [
            *("--title", "AN4: HJ", "--points", f"{points_dir}/hj"),
            *("--output", f"{points_dir}/out", "--audio", f"{points_dir}/wav.scp"),
            *("--test-sets", "test"),
        ]
    )
    text = (points_dir / "out" / "RESULTS_HJ.md").read_text()
    assert "\n```\nrun_hj.sh  # commit c\n```\n" in text
    assert "the first 60 s of test:" in text
    assert "`n.s.`: not significantly different (Welch's t-test, p >= 0.05)" in text
    assert "| 21.0 ± 1.4 |  |" in text  # dense is not compared with itself
    assert "| 32.0 ± 1.4 | worse |" in text
    for name, wer in (("dense_0_seed2", 22.0), ("sep_mac_30_seed1", 31.0)):
        tuned = f"hj/{name}/tuned/asr_pruned_seed{name[-1]}"
        (row,) = [line for line in text.splitlines() if f"{tuned} |" in line]
        assert row.endswith(f"| {wer} |")
    (row,) = [line for line in text.splitlines() if line.startswith("| mac | 30 | 1 |")]
    assert row.endswith("| 25.0 |  |")
    for name in ("hj.png", "hj_time.png"):
        assert (points_dir / "out" / "figures" / name).stat().st_size > 0
    assert text.strip() in capsys.readouterr().out
    # a card of what was pruned, and its training is gone; in this test others were not
    assert caplog.text.count("no model card") == 1
    assert f"no model card of {encoder}: expected {gone}/config.yaml" in caplog.text


def test_a_run_without_its_fine_tuning_is_named(points_dir):
    tuned = points_dir / "hj" / "mac_30_seed1" / "tuned"
    (tuned / "asr_pruned_seed1").rename(tuned / "asr_pruned_seed2")
    with pytest.raises(
        ValueError, match=r"expected one .*mac_30_seed1/tuned/\*_pruned"
    ):
        collect_points(points_dir / "hj", ["test"], WER)


def test_without_a_dense_point_there_is_nothing_to_compare(points_dir, capsys):
    for seed in (1, 2):
        (points_dir / "hj" / f"dense_0_seed{seed}" / ".tuned").unlink()
    options = ["--title=T", "--test-sets", "test", f"--output={points_dir}"]
    options += [f"--points={points_dir}/hj", f"--audio={points_dir}/wav.scp"]
    with pytest.raises(SystemExit, match="1"):
        main(options)
    assert "dense_0_seed1, finished" in capsys.readouterr().err
