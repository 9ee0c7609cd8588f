"""RESULTS_ABLATION.md: runs from folders, the table and what the figures draw."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
import torch
from tiny import random_encoder, tiny_config

from pruneasr.bin import ablation_results
from pruneasr.encoder import BlockConfig, save_encoder
from pruneasr.figure import pyplot
from pruneasr.pruning.widths import config_widths
from pruneasr.results.ablation import collect_variants
from pruneasr.results.ablation_figures import plot_errors, plot_gates, plot_layers
from pruneasr.results.collect import METRICS
from pruneasr.results.layers_left import layers_section, num_branches, same_encoders
from pruneasr.results.speed import Speeds

WER = METRICS["asr"][0]


def write_run(folder, name, wer, encoder, finished=True, gates=None):
    """One run as run_ablation.sh leaves it."""
    run = folder / "ablation" / name
    experiment = run / "tuned" / f"asr_pruned_seed{name.rpartition('seed')[2]}"
    (experiment / "decode" / "test").mkdir(parents=True)
    scores = experiment / "decode" / "test" / "score_wer.json"
    scores.write_text(json.dumps({"Err": wer}))
    (experiment / "config.yaml").write_text(
        f"frontend_conf:\n    ckpt: {encoder}\ntrain_data_path_and_name_and_type: []\n"
    )
    if gates:
        (run / "distill").mkdir()
        epochs = {
            i + 1: {
                "train": {"loss": 1.0, "gate_mha_layer": z, "gate_ffn_layer": z / 2}
            }
            for i, z in enumerate(gates)
        }
        torch.save({"reporter": {"stats": epochs}}, run / "distill" / "checkpoint.pth")
    if finished:
        (run / ".tuned").touch()


@pytest.fixture
def runs_dir(tmp_path):
    sizes = {
        "teacher": {},
        "half": {"ffn": 32},
        "quarter": {"ffn": 16},
        "two": {"ffn": 8, "num_blocks": 2},
    }
    for name, options in sizes.items():
        save_encoder(random_encoder(tiny_config(**options)), tmp_path / name)
    for seed, wer in ((1, 20.0), (2, 22.0)):
        name = f"full_seed{seed}"
        write_run(tmp_path, name, wer, tmp_path / "quarter", gates=[1.0, 0.5 * seed])
    write_run(tmp_path, "no_ste_seed1", 31.0, tmp_path / "half", gates=[1.0, 0.9])
    write_run(tmp_path, "no_ste_seed2", 33.0, tmp_path / "quarter", gates=[1.0, 0.7])
    write_run(tmp_path, "target_50_seed1", 10.0, tmp_path / "half")
    write_run(tmp_path, "distilhubert_seed3", 40.0, tmp_path / "two")
    write_run(tmp_path, "teacher_seed1", 5.0, tmp_path / "teacher")
    write_run(tmp_path, "cofi_seed1", 1.0, tmp_path / "half", finished=False)
    generator = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", 0.1 * generator.normal(size=4000), 16000)
    (tmp_path / "wav.scp").write_text(f"a {tmp_path}/a.wav\n")
    (tmp_path / "ablation" / "commands").write_text("run_ablation.sh  # commit c\n")
    return tmp_path


def test_runs_are_the_finished_folders_the_largest_first(runs_dir):
    variants = collect_variants(runs_dir / "ablation", ["test"], WER)
    assert list(variants) == ["teacher", "target_50", "no_ste", "full", "distilhubert"]
    assert [run.errors["test"] for run in variants["no_ste"]] == [31.0, 33.0]
    sizes = [
        sum(p.numel() for p in random_encoder(tiny_config(ffn=ffn)).parameters())
        for ffn in (32, 16)
    ]
    assert [run.num_parameters for run in variants["no_ste"]] == sizes
    blocks = variants["full"][0].widths.blocks
    assert [(block.qk, block.vo, block.ffn) for block in blocks] == [(32, 32, 16)] * 3


def command_line(runs_dir):
    return [
        *("--title", "AN4: ablation", "--points", f"{runs_dir}/ablation"),
        *("--test-sets", "test", "--audio", f"{runs_dir}/wav.scp"),
        *("--output", f"{runs_dir}/out"),
    ]


def test_command_line(runs_dir, capsys, caplog):
    made = {"teacher": "teacher", "experiment": f"{runs_dir}/gone", "sparsity": {}}
    save_encoder(random_encoder(tiny_config(ffn=16)), runs_dir / "quarter", made)
    ablation_results.main(command_line(runs_dir))
    # a card of what was pruned, and its training is gone; in this test others were not
    assert caplog.text.count("no model card") == 1
    assert f"no model card of {runs_dir}/quarter: expected {runs_dir}" in caplog.text
    text = (runs_dir / "out" / "RESULTS_ABLATION.md").read_text()
    lines = text.splitlines()[::-1]  # of what has several rows the first
    rows = {line.split(" | ")[0].strip("| "): line for line in lines}
    assert rows["full"].startswith("| full | 1 2 | ")
    assert rows["full"].endswith("| 21.0 ± 1.4 |  |")
    # standard errors 1 and 1 make 1.41; the difference is 11
    assert rows["no_ste"].endswith("| 32.0 ± 1.4 | worse |")
    assert rows["target_50"].endswith("| 10.0 |  |")
    row = rows[f"{runs_dir}/ablation/no_ste_seed2/tuned/asr_pruned_seed2"]
    assert row.endswith("| 33.0 |")
    for name in ("gates", "layers", "errors"):
        assert f"figures/ablation_{name}.png" in text
        assert (runs_dir / "out/figures" / f"ablation_{name}.png").stat().st_size > 0
    assert "\n```\nrun_ablation.sh  # commit c\n```\n" in text
    assert "ablation_scores" not in text  # nothing was probed
    assert text.strip() in capsys.readouterr().out


def not_measured(monkeypatch, factor):
    """Let a report take its times from a function, and draw no figures of them."""
    for plot in ("plot_pruning", "plot_errors"):
        monkeypatch.setattr(ablation_results, plot, lambda *_: None)
    monkeypatch.setattr(
        ablation_results,
        "real_time_factors",
        lambda named, _: Speeds({p: factor(p) for p in named}, 0.0),
    )


def test_claims_are_judged_where_both_sides_were_run(runs_dir, monkeypatch):
    not_measured(monkeypatch, lambda encoder: float(encoder.name == "half"))
    (runs_dir / "out").mkdir()
    write_run(runs_dir, "no_fahp_seed1", 40.0, runs_dir / "quarter")
    write_run(runs_dir, "no_fahp_seed2", 41.0, runs_dir / "quarter")
    ablation_results.main(command_line(runs_dir))
    text = (runs_dir / "out" / "RESULTS_ABLATION.md").read_text()
    for claim, outcome in {
        "FAHP beats gates on whole heads": "significantly better (WER % 21.0 ± 1.4 "
        "against 40.5 ± 0.7 of no_fahp)",
        "STE makes the encoder faster": "not significantly different (RTF 0.00000 ± "
        "0.00000 against 0.50000 ± 0.70711 of no_ste)",
        "STE concentrates what is left in fewer branches": "not significantly "
        "different (branches 6.0 ± 0.0 against 6.0 ± 0.0 of no_ste)",
        "distill-pruning beats distillation": "open, one seed cannot tell (WER % "
        "21.0 ± 1.4 against 40.0 of distilhubert)",
    }.items():
        assert f"\n- {claim}: {outcome}\n" in text


def test_encoders_that_are_one_are_named(runs_dir):
    again = random_encoder(tiny_config(ffn=16))
    save_encoder(again, runs_dir / "copy")
    write_run(runs_dir, "ordered_seed1", 20.0, runs_dir / "copy")
    variants = collect_variants(runs_dir / "ablation", ["test"], WER)
    runs = [run for name in ("full", "ordered", "no_ste") for run in variants[name]]
    # of `quarter`, which three runs share, only the first counts
    assert same_encoders(runs) == [["full_seed1", "ordered_seed1"]]


def widths_without(gone):
    empty = BlockConfig(attention=True, heads=(), feed_forward=True, ffn=0)
    config = tiny_config(ffn=16)
    blocks = [empty if i in gone else block for i, block in enumerate(config.blocks)]
    return config_widths(dataclasses.replace(config, blocks=tuple(blocks)))


def test_what_is_left_in_every_block(runs_dir):
    variants = collect_variants(runs_dir / "ablation", ["test"], WER)
    text = layers_section(variants, "full")
    assert "| full | 32 / 32 / 16 | 32 / 32 / 16 | 32 / 32 / 16 |" in text
    assert "| no_ste | 32 / 32 / 24 |" in text  # 32 and 16
    assert "| distilhubert | 32 / 32 / 8 | 32 / 32 / 8 | - |" in text
    # gone in one seed: neither left nor gone in all; in both: gone
    full = [
        dataclasses.replace(run, widths=widths_without(gone))
        for run, gone in zip(variants["full"], ((1,), (0, 1)), strict=True)
    ]
    assert [num_branches(run) for run in full] == [4, 2]
    text = layers_section({"full": full}, "full")
    assert "| full | 16 / 16 / 8 | 0 / 0 / 0 | 32 / 32 / 16 |" in text
    for branch in ("MHA", "FFN"):
        line = f"- {branch} of `full`: left in all seeds in blocks 3, gone in all in 2"
        assert line in text


def write_probe(runs_dir, name, task, metrics):
    """One probe as --probes leaves it."""
    run = runs_dir / "ablation" / name
    seed = name.rpartition("seed")[2]
    for split in range(1, 6 if task == "er" else 2):
        test = run / "probes" / name / task / f"split{split}_seed{seed}" / "test"
        test.mkdir(parents=True)
        (test / "score.json").write_text(json.dumps({"metrics": metrics}))
    (run / f".probed_{task}").touch()


def test_probes_are_columns_and_a_figure(runs_dir, monkeypatch):
    for name, accuracy in (("full_seed1", 80.0), ("full_seed2", 90.0)):
        write_probe(runs_dir, name, "ks", {"ks_acc": accuracy})
    write_probe(runs_dir, "teacher_seed1", "ks", {"ks_acc": 96.0})
    write_probe(runs_dir, "teacher_seed1", "asr", {"asr_wer": 7.0, "asr_cer": 3.0})
    write_probe(runs_dir, "no_ste_seed1", "ks", {"ks_acc": 70.0})  # not of seed 2
    # scores of a probe that is not done yet do not count
    write_probe(runs_dir, "target_50_seed1", "er", {"er_acc": 50.0})
    (runs_dir / "ablation" / "target_50_seed1" / ".probed_er").unlink()
    not_measured(monkeypatch, lambda _: 1)
    ablation_results.main(command_line(runs_dir))
    text = (runs_dir / "out" / "RESULTS_ABLATION.md").read_text()
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()[::-1]}
    assert rows["variant"].endswith("| against full | ks acc % | asr wer % |")
    assert rows["teacher"].endswith("| 96.0 | 7.0 |")
    assert rows["full"].endswith("| 85.0 ± 7.1 | - |")
    assert rows["no_ste"].endswith("| - | - |")
    assert rows["target_50"].endswith("| - | - |")
    for name, cells in {
        "full_seed1": "| 80.00 | - |",
        "full_seed2": "| 90.00 | - |",
        "teacher_seed1": "| 96.00 | 7.00 |",
        "no_ste_seed1": "| 70.00 | - |",
        "target_50_seed1": "| - | - |",
    }.items():
        seed = name.rpartition("_")[2]
        folder = f"{runs_dir}/ablation/{name}/tuned/asr_pruned_{seed}"
        assert rows[folder].endswith(cells)
    assert rows["fine-tuning"].endswith("| WER % test | ks acc % | asr wer % |")
    assert "`<variant>_seed<seed>/probes` has their logs" in text
    assert "![score against parameters](figures/ablation_scores.png)" in text
    assert "run on all of them (ks)" in text
    assert (runs_dir / "out/figures/ablation_scores.png").stat().st_size > 0


def test_a_probe_that_is_marked_but_gone_is_refused(runs_dir, capsys):
    (runs_dir / "ablation" / "full_seed1" / ".probed_er").touch()
    with pytest.raises(SystemExit, match="1"):
        ablation_results.main(command_line(runs_dir))
    assert "expected er_acc below" in capsys.readouterr().err


def drawn(monkeypatch, plot, *arguments):
    """What a function draws, before the figure is closed."""
    plt = pyplot()
    monkeypatch.setattr(plt, "close", lambda _: None)
    plot(*arguments)
    return plt.gcf().axes


def test_gates_show_every_seed_and_their_mean(tmp_path, monkeypatch):
    histories = {
        "full": [
            {"gate_mha_layer": [1.0, z], "gate_ffn_layer": [1.0, 0]} for z in (0.2, 0.4)
        ]
    }
    axes = drawn(monkeypatch, plot_gates, histories, tmp_path / "gates.png")
    lines = [list(line.get_ydata()) for line in axes[0].lines]
    assert lines == [[1.0, 0.2], [1.0, 0.4], [1.0, pytest.approx(0.3)]]


def test_unequal_trainings_are_refused_before_the_timing(runs_dir, monkeypatch, capsys):
    monkeypatch.delattr(ablation_results, "real_time_factors")
    checkpoint = runs_dir / "ablation/full_seed1/distill/checkpoint.pth"
    state = torch.load(checkpoint, weights_only=True)
    del state["reporter"]["stats"][2]
    torch.save(state, checkpoint)
    with pytest.raises(SystemExit, match="1"):
        ablation_results.main(command_line(runs_dir))
    assert "same first dimension" in capsys.readouterr().err


def test_layers_show_the_mean_over_seeds(runs_dir, monkeypatch):
    variants = collect_variants(runs_dir / "ablation", ["test"], WER)
    axes = drawn(monkeypatch, plot_layers, variants, runs_dir / "layers.png")
    table = np.ma.filled(axes[2].images[0].get_array(), np.nan)
    assert table[2].tolist() == [24.0] * 3  # no_ste: 32 and 16
    assert table[4].tolist()[:2] == [8.0, 8.0]
    assert np.isnan(table[4][2])  # distilhubert has two blocks


def test_errors_and_times_have_a_row_for_every_variant(runs_dir, monkeypatch):
    variants = collect_variants(runs_dir / "ablation", ["test"], WER)
    factors = {run.encoder: 0.5 for runs in variants.values() for run in runs}
    asked = (variants, factors, "test", WER, runs_dir / "errors.png")
    axes = drawn(monkeypatch, plot_errors, *asked)
    names = axes[0].get_yticklabels()
    assert [name.get_text().split()[0] for name in names] == list(variants)
    # rings and mean of each row, after those of full the line at its mean
    points = [line.get_xydata().tolist() for line in axes[0].lines]
    assert points[:2] == [[[5.0, 0]], [[5.0, 0]]]
    assert points[4:6] == [[[31.0, 2], [33.0, 2]], [[32.0, 2]]]
    assert points[6:9] == [[[20.0, 3], [22.0, 3]], [[21.0, 3]], [[21.0, 0], [21.0, 1]]]
    assert axes[0].patches[0].get_width() == pytest.approx(2 * 2**0.5)  # of 20 and 22
    assert {x for line in axes[1].lines for x in line.get_xdata()} == {0.5}


def test_without_full_there_is_nothing_to_compare(runs_dir, capsys):
    for seed in (1, 2):
        (runs_dir / "ablation" / f"full_seed{seed}" / ".tuned").unlink()
    with pytest.raises(SystemExit, match="1"):
        ablation_results.main(command_line(runs_dir))
    assert "full_seed1, finished" in capsys.readouterr().err
