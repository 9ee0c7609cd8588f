"""RESULTS.md of the probes: every number has its file, and superb_s its conditions."""

import json
from statistics import fmean

import pytest
from superb_runs import write_run

from pruneasr.superb.claim import claim_folder
from pruneasr.superb.collect import encoder_section, results_markdown
from pruneasr.superb.published import FBANK, METRICS, WAVLM_LARGE
from pruneasr.superb.runs import mean_scores, read_runs, the_config_dir
from pruneasr.superb.score import METRICS_OF, superb_score
from pruneasr.superb.tasks import TASKS

HALF = {m: (FBANK.metrics[m] + WAVLM_LARGE.metrics[m]) / 2 for m in METRICS}


@pytest.fixture
def exp(tmp_path, monkeypatch):
    """Two encoders without probes, and data for all tasks, in the recipe's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pruneasr.superb.figure.plot_scores", lambda *_: None)  # slow
    for name in ("pruned", "teacher"):
        facts = {"encoder": f"../{name}", "sha256": name * 8, "parameters": 500_000}
        (tmp_path / "exp" / name).mkdir(parents=True)
        (tmp_path / "exp" / name / "encoder.json").write_text(json.dumps(facts))
    for task in TASKS:
        (tmp_path / "data" / task).mkdir(parents=True)
        (tmp_path / "data" / task / "about").write_text(f"set of {task}\n")
    return (tmp_path / "exp").relative_to(tmp_path)


def report(exp):
    """The text, and the cells of its rows by the first one."""
    data = exp.parent / "data"
    text = results_markdown("Probes", ["run.sh  # commit c"], exp, data, exp / "f")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if "|" in line]
    tables = {}
    for name, *cells in lines:
        tables.setdefault(name, []).append(cells)
    return text, tables


def test_every_number_has_a_file_a_seed_and_an_encoder(exp):
    write_run(exp / "pruned", "er", {"er_acc": 60.0}, splits=5)
    write_run(exp / "pruned", "ks", {"ks_acc": 70.0})
    write_run(exp / "pruned", "ks", {"ks_acc": 72.0}, seed=2)
    text, rows = report(exp)
    assert "\n```\nrun.sh  # commit c\n```\n" in text
    for fact in ("date", "commit of this report", "pytorch", "machine"):
        assert f"- {fact}: " in text
    assert rows["encoder"][0] == ["params M", "seeds", "ks acc", "er acc"]
    seeds = "1 2 (ks), 1 (er)"
    assert rows["pruned"][0] == ["0.500", seeds, "72.00 ± 1.41", "63.00"]
    for split in range(1, 6):
        path = f"exp/pruned/er/split{split}_seed1/test/score.json"
        assert rows[path] == [[f"er acc {60 + split:.2f}", "learning rate 0.25"]]
    assert rows["exp/pruned/ks/split1_seed2/test/score.json"][0][0] == "ks acc 73.00"
    assert rows["pruned"][1] == ["../pruned", "pruned" * 8]
    assert "Settings: `conf/excerpt/<task>.yaml`." in text
    assert "- ER, emotion recognition: set of er\n" in text
    assert rows["ks/split1_seed2"] == [
        ["learning rate 0.5", "ks acc 10.50"],
        ["learning rate 0.25", "ks acc 10.25", "yes"],
    ]
    edge = (
        "**The smallest learning rate that was tried is the best** in er/split1_seed1"
    )
    assert edge in text


def test_a_seed_without_all_its_splits_does_not_count_and_the_report_says_so(exp):
    write_run(exp / "pruned", "er", {"er_acc": 60.0}, splits=5)
    write_run(exp / "pruned", "er", {"er_acc": 90.0}, splits=4, seed=2)
    runs, left_out = read_runs(exp / "pruned")
    assert mean_scores(runs) == {"er_acc": {"1": 63.0}}
    assert {run.seed for run in runs} == {"1"}
    assert left_out == ["pruned: er of seed 2, 4 of 5 splits"]
    text, _ = report(exp)
    assert f"- **Left out**, not all splits are scored: {left_out[0]}\n" in text
    facts = {"encoder": "e", "sha256": "f", "parameters": 1}
    (exp / "pruned" / "encoder.json").write_text(json.dumps(facts))
    assert left_out[0] in encoder_section(exp / "pruned", "f", exp.parent / "data")


FURTHER = {"asr": {"asr_cer": 5.0}, "sd": {"sd_der_collar": 4.0}}


def write_all_tasks(encoder, config, seeds=(1,)):
    for task, names in METRICS_OF.items():
        for seed in seeds:
            metrics = {name: HALF[name] + seed for name in names}
            metrics |= FURTHER.get(task, {})
            splits = TASKS[task].splits
            write_run(encoder, task, metrics, seed=seed, splits=splits, config=config)


def test_ten_official_tasks_have_a_total(exp):
    write_all_tasks(exp / "pruned", "conf/official", seeds=(1, 2))
    write_run(exp / "teacher", "ks", {"ks_acc": 97.86}, config="conf/official")
    text, rows = report(exp)
    assert rows["encoder"][1] == [*METRICS_OF, "superb_s"]
    totals = []
    for seed in (1, 2):
        mean = {m: HALF[m] + seed + (3 if m == "er_acc" else 1) for m in METRICS}
        totals.append(superb_score(mean))
    middle, spread = fmean(totals), abs(totals[0] - totals[1]) / 2**0.5
    assert rows["pruned"][1][-1] == f"{middle:.1f} ± {spread:.1f}"
    # a point of 56.48: the seeds are half way and 1 + 1, 2 + 1 points more
    assert rows["pruned"][1][0] == "544.3 ± 12.5"
    assert rows["teacher"][1] == ["1017.7", *["-"] * 10]
    assert "No total: teacher was not scored on ic pr asr er" in text
    assert "Not given" not in text


def test_other_sets_have_no_total_and_the_report_says_why(exp):
    write_all_tasks(exp / "pruned", "conf/excerpt")
    text, rows = report(exp)
    assert "superb_s" not in rows["encoder"][1]
    assert "those of conf/excerpt, not conf/official.\n" in text
    for run in exp.glob("*/*/*/.trained"):
        run.write_text(run.read_text().replace("excerpt", "official"))
    for task in ("sd", "pr"):
        (exp.parent / "data" / task / ".done").touch()
    text, _ = report(exp)
    assert "and of their probes; the sets of pr sd are what stage data made" in text
    assert "not conf/official" not in text


def test_probes_of_two_config_dirs_are_not_compared(exp):
    write_run(exp / "pruned", "ks", {"ks_acc": 70.0})
    (exp / "teacher/qbe/split1_seed1").mkdir(parents=True)  # it has no configuration
    (exp / "teacher/qbe/split1_seed1/.trained").write_text("run.pl python train\n")
    assert str(the_config_dir(exp)) == "conf/excerpt"
    with pytest.raises(ValueError, match=r"this call.*pruned/ks.*--expdir of its own"):
        claim_folder(exp, exp / "teacher", exp.parent / "conf" / "official")
    write_run(exp / "teacher", "ks", {"ks_acc": 80.0}, config="conf/official")
    with pytest.raises(
        ValueError,
        match=r"conf/excerpt: pruned/ks/split1_seed1; conf/official: teacher/ks/split1",
    ):
        report(exp)


def test_nothing_scored_is_no_report(exp):
    with pytest.raises(ValueError, match="below exp, found none; run the stages"):
        report(exp)
    write_run(exp / "pruned", "er", {"er_acc": 60.0}, splits=4)
    with pytest.raises(ValueError, match="found pruned: er of seed 1, 4 of 5 splits"):
        report(exp)
