"""RESULTS.md: every number comes from a file, every aim is judged."""

import dataclasses
import json
from datetime import timedelta

import pytest
import torch
from tiny import random_encoder, tiny_config

from pruneasr.bin.results import main
from pruneasr.encoder import save_encoder
from pruneasr.results.collect import METRICS, collect, encoder_seconds
from pruneasr.results.speed import Speeds, real_time_factors
from pruneasr.results.write import (
    results_markdown,
    systems_section,
    update_readme,
    write_results,
)

COLUMNS = ("Snt", "Wrd", "Corr", "Sub", "Del", "Ins", "Err", "S.Err")


def write_experiment(path, wer, minutes=2.0, encoder="encoder"):
    """An experiment as decode, score and training leave it."""
    decode = path / "decode" / "test"
    decode.mkdir(parents=True)
    for rate, error in (("wer", wer), ("cer", wer / 2)):
        columns = dict.fromkeys(COLUMNS, 1.0) | {"Snt": 10, "Wrd": 50, "Err": error}
        (decode / f"score_{rate}.json").write_text(json.dumps(columns))
    half = {"time": timedelta(minutes=minutes / 2)}
    stats = {1: {"train": half, "valid": half}}
    torch.save({"reporter": {"stats": stats}}, path / "checkpoint.pth")
    (path / "config.yaml").write_text(f"frontend_conf:\n    ckpt: {encoder}\n")


@pytest.fixture
def make_system(tmp_path):
    def make(name, *wers, ffn=64):
        encoder = tmp_path / f"{name}_encoder"
        save_encoder(random_encoder(tiny_config(ffn=ffn)), encoder)
        experiments = []
        for seed, wer in enumerate(wers):
            experiments.append(tmp_path / f"asr_{name}_seed{seed}")
            write_experiment(experiments[-1], wer, encoder=encoder)
        return collect(name, encoder, experiments, ["test"], METRICS["asr"])

    return make


def render(systems, expdir, task="asr"):
    speeds = Speeds({system.name: 0.01 for system in systems}, 0.02)
    table = systems_section(systems, speeds, ["test"], METRICS[task], expdir)
    return results_markdown("Title", ["run"], systems, table, ["test"], METRICS[task])


def test_a_row_has_mean_spread_and_cost(make_system, tmp_path):
    system = make_system("teacher", 10.0, 14.0)
    row = next(
        line
        for line in render([system], tmp_path).splitlines()
        if line.startswith("| teacher")
    )
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    numel = sum(p.numel() for p in random_encoder().parameters())
    assert cells[1] == f"{numel / 1e6:.3f}"
    assert cells[3] == "2"
    assert cells[4] == "12.0 ± 2.8"  # the sample deviation of 10 and 14
    assert cells[5] == "6.0 ± 1.4"
    assert cells[8] == "2.0"  # minutes


@pytest.mark.parametrize(
    ("pruned", "expected"),
    [
        ((11.0,), ["met (+10.0%)", "open, one seed cannot tell (11.0 against 20.2"]),
        ((13.0, 13.0), ["MISSED (+30.0%)", "significantly better (13.0 ± 0.0 against"]),
        (
            (11.0, 25.0),
            ["MISSED (+80.0%)", "not significantly different (18.0 ± 9.9 against"],
        ),
        ((30.0, 30.0), ["MISSED (+200.0%)", "scratch: significantly worse (30.0 ±"]),
    ],
)
def test_aims_are_judged(make_system, tmp_path, pruned, expected):
    systems = [
        make_system("teacher", 10.0),
        make_system("pruned", *pruned),
        make_system("scratch", 20.0, 20.5),
    ]
    text = render(systems, tmp_path)
    for part in expected:
        assert part in text


@pytest.mark.parametrize(("wer", "tested"), [(89.9, True), (90.0, False)])
def test_a_teacher_that_fails_tests_nothing(make_system, tmp_path, wer, tested):
    systems = [make_system("teacher", wer), make_system("pruned", wer)]
    text = render(systems, tmp_path)
    expected = "met (+0.0%)" if tested else "not tested: the teacher itself has 90 % e"
    assert f"of the teacher: {expected}" in text


def test_commands_are_given_as_they_were_called(make_system, tmp_path):
    assert "\n```\nrun\n```\n" in render([make_system("pruned", 30.0)], tmp_path)


def test_every_score_has_a_row(make_system, tmp_path):
    text = render([make_system("pruned", 30.0, 40.0)], tmp_path)
    assert "|asr_pruned_seed0/test|10|50|1.0|1.0|1.0|1.0|30.0|1.0|" in text
    assert "|asr_pruned_seed1/test|10|50|1.0|1.0|1.0|1.0|20.0|1.0|" in text


def understood(path, slot_f1):
    """An experiment of understanding, with the rates of one slot."""
    write_experiment(path, 0.0, encoder=path.parent / path.name.split("_")[1])
    rates = ("intent_accuracy", "slot_f1", "slu_f1", "joint_accuracy")
    scores = {"Snt": 4, **dict.fromkeys(rates, slot_f1), "slot_accuracy_size": 75.0}
    (path / "decode/test/score_slu.json").write_text(json.dumps(scores))


def test_understanding_has_its_own_columns_and_aims(tmp_path):
    systems = []
    for name, slot_f1 in (("teacher", 80.0), ("pruned", 77.0), ("scratch", 40.0)):
        save_encoder(random_encoder(), tmp_path / name)
        understood(tmp_path / f"slu_{name}", slot_f1)
        experiments = [tmp_path / f"slu_{name}"]
        systems.append(
            collect(name, tmp_path / name, experiments, ["test"], METRICS["slu"])
        )
    text = render(systems, tmp_path, "slu")
    assert "| slot F1 % test | SLU-F1 % test | joint acc % test |" in text
    assert "| 77.0 | 77.0 | 77.0 | 77.0 |" in text
    # errors: 20, 23 and 60 percent
    assert "within 20% relative slot F1 error of the teacher: met (+15.0%)" in text
    assert "slot F1 error than scratch: open, one seed cannot tell (23.0 aga" in text
    assert "|joint_accuracy|slot_accuracy_size|" in text
    assert "|slu_pruned/test|4|77.0|77.0|77.0|77.0|75.0|" in text
    assert "WER" not in text


def test_missing_scores_name_the_stage(make_system, tmp_path):
    system = make_system("pruned", 30.0)
    (tmp_path / "asr_pruned_seed0/decode/test/score_wer.json").unlink()
    with pytest.raises(ValueError, match="decode and score"):
        collect("pruned", system.encoder, system.experiments, ["test"], METRICS["asr"])
    with pytest.raises(ValueError, match="--experiment other=DIR"):
        collect("other", system.encoder, [], ["test"], METRICS["asr"])


def test_an_experiment_of_another_encoder_is_refused(make_system):
    system = make_system("pruned", 30.0)
    other = make_system("teacher", 10.0)
    experiments = [*system.experiments, *other.experiments]
    with pytest.raises(ValueError, match=r"teacher_seed0 is one of .*teacher_encoder"):
        collect("pruned", system.encoder, experiments, ["test"], METRICS["asr"])
    config = experiments[1] / "config.yaml"
    config.write_text(f"frontend_conf: {{ckpt: {other.encoder}/../pruned_encoder}}\n")
    collect("pruned", system.encoder, experiments, ["test"], METRICS["asr"])
    for text in ("frontend_conf: {}\n", "frontend: none\n"):
        config.write_text(text)
        with pytest.raises(ValueError, match=r"expected frontend_conf\.ckpt"):
            collect("pruned", system.encoder, experiments, ["test"], METRICS["asr"])


def test_the_price_of_an_encoder_is_that_of_its_trainings(tmp_path):
    for name, minutes in (("distill", 3.0), ("recover", 1.0), ("pretrain1", 5.0)):
        write_experiment(tmp_path / name, 1.0, minutes)
    made = {"recover/encoder": 240, "teacher": 300, "scratch": 0, "../given": 0}
    for name, seconds in made.items():
        assert encoder_seconds(tmp_path / name, tmp_path) == pytest.approx(seconds)
    (tmp_path / "distill" / "checkpoint.pth").unlink()
    with pytest.raises(ValueError, match=r"expected .*distill/checkpoint\.pth"):
        encoder_seconds(tmp_path / "recover" / "encoder", tmp_path)


def test_the_report_of_the_pruning_is_that_of_the_encoder(make_system, tmp_path):
    system = make_system("pruned", 30.0)
    (tmp_path / "pruned").mkdir()
    for name in ("structure.png", "history.png"):
        (tmp_path / "pruned" / name).write_bytes(b"figure")
    (tmp_path / "pruned" / "report.md").write_text("| block |\n")
    output = tmp_path / "out"
    output.mkdir()
    write_results("text\n", [system], tmp_path, output)  # its encoder was given
    assert (output / "RESULTS.md").read_text() == "text\n"
    made = dataclasses.replace(system, encoder=tmp_path / "recover" / "encoder")
    write_results("text\n", [made], tmp_path, output)
    assert "| block |\n" in (output / "RESULTS.md").read_text()
    assert (output / "figures" / "history.png").read_bytes() == b"figure"


def test_command_line(make_system, write_audio, tmp_path, capsys):
    system = make_system("teacher", 30.0)
    (tmp_path / "commands").write_text("run\nrun\n")
    (tmp_path / "wav.scp").write_text(f"a {write_audio('a.wav', 4000)}\n")
    options = ["--title=AN4: ASR", "--test-sets", "test", f"--output={tmp_path}"]
    options += [f"--expdir={tmp_path}", f"--audio={tmp_path}/wav.scp"]
    options += [f"--encoder=teacher={system.encoder}"]
    main([*options, f"--experiment=teacher={system.experiments[0]}"])
    text = (tmp_path / "RESULTS.md").read_text()
    assert "\n```\nrun\n```\n" in text
    assert "| 30.0 | 15.0 | " in text
    assert "the first 60 s of test: float32, batch 1, the fastest of 20 passes" in text
    assert text.strip() in capsys.readouterr().out


def test_every_experiment_has_an_encoder(tmp_path, capsys):
    (tmp_path / "commands").write_text("run\n")
    options = ["--title=T", "--test-sets", "test", f"--output={tmp_path}", "--audio=a"]
    options += [f"--expdir={tmp_path}", "--encoder=pruned=a", "--experiment=prund=b"]
    with pytest.raises(SystemExit, match="1"):
        main(options)
    assert "of every --experiment; found none of prund" in capsys.readouterr().err


def test_readme_is_updated_between_its_marks(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- results of AN4 -->\nold\n<!-- end of AN4 -->\nb\n")
    update_readme(readme, "AN4", "## Systems\n\n| x |\n|---|\n| 1 |\n\nnote\n")
    assert readme.read_text() == (
        "a\n<!-- results of AN4 -->\n| x |\n|---|\n| 1 |\n<!-- end of AN4 -->\nb\n"
    )
    with pytest.raises(ValueError, match="results of mini"):
        update_readme(readme, "mini", "| x |")


def test_a_larger_encoder_takes_longer(tmp_path, capsys):
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.zeros(32000, dtype=np.float32), 16000)
    (tmp_path / "wav.scp").write_text(f"a {tmp_path / 'a.wav'}\n")
    sizes = {"small": {"num_blocks": 1}, "large": {"num_blocks": 12, "ffn": 1024}}
    for name, size in sizes.items():
        save_encoder(random_encoder(tiny_config(**size)), tmp_path / name)
    encoders = {name: tmp_path / name for name in sizes} | {"twin": tmp_path / "small"}
    speeds = real_time_factors(encoders, tmp_path / "wav.scp", repeats=3)
    assert 0 < speeds.factors["small"] < speeds.factors["large"]
    assert speeds.factors["twin"] == speeds.factors["small"]  # of one shape
    assert speeds.noise >= 0
    assert f"differed by {speeds.noise:.1%}." in speeds.note("test")
    assert "2 shapes of encoders, pass 3 of 3 ... " in capsys.readouterr().err
