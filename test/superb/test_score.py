"""superb_s: by hand, and against the scores that [W23] prints in its Table 1."""

import pytest
import yaml

from pruneasr.bin import superb
from pruneasr.superb.published import FBANK, METRICS, PUBLISHED, WAVLM_LARGE
from pruneasr.superb.score import metric_score, superb_score, task_scores

# [W23] Table 1 recomputed from its metrics, in the order of the table
RECOMPUTED = {
    "wav2vec": 490.0,
    "wav2vec 2.0 Base": 734.4,
    "HuBERT Base": 835.9,
    "WavLM Base": 895.8,
    "DistilHuBERT": 644.6,
    "DistilWavLM": 664.3,
    "proposed": 768.2,
    "proposed without FAHP": 703.7,
}
# how much more the paper prints; it names neither its filter banks nor its best system
DIFFERENCES = {
    "WavLM Base": 0.23,
    "DistilHuBERT": 3.27,
    "DistilWavLM": 4.05,
    "proposed": 1.45,
    "proposed without FAHP": 18.12,
}
WITHIN = 3.3
"""Larger differences are told in a note."""


def test_the_ends_of_the_scale_are_filter_banks_and_wavlm_large():
    assert set(task_scores(FBANK.metrics).values()) == {0}
    assert superb_score(WAVLM_LARGE.metrics) == pytest.approx(1000)


def test_a_score_worked_by_hand():
    # half way in every metric, but PR a quarter of the way
    half = {m: (FBANK.metrics[m] + WAVLM_LARGE.metrics[m]) / 2 for m in METRICS}
    half["pr_per"] = 82.01 - (82.01 - 3.06) / 4
    scores = task_scores(half)
    assert scores["sf"] == pytest.approx(500)
    assert scores["pr"] == pytest.approx(250)
    assert superb_score(half) == pytest.approx((9 * 500 + 250) / 10)


def test_slot_filling_is_the_mean_of_its_two_metrics():
    metrics = {**FBANK.metrics, "sf_f1": WAVLM_LARGE.metrics["sf_f1"]}
    assert task_scores(metrics)["sf"] == pytest.approx(500)
    assert superb_score(metrics) == pytest.approx(50)


def test_all_rows_of_table_1_are_pinned():
    assert RECOMPUTED.keys() == PUBLISHED.keys()


@pytest.mark.parametrize("name", RECOMPUTED)
def test_table_1_is_recomputed(name):
    row = PUBLISHED[name]
    score = superb_score(row.metrics)
    assert score == pytest.approx(RECOMPUTED[name], abs=0.05)
    assert row.source == "W23"
    printed = None if row.printed is None else row.printed - score
    assert printed == pytest.approx(DIFFERENCES.get(name), abs=0.005)


@pytest.mark.parametrize("name", [n for n in DIFFERENCES if DIFFERENCES[n] > WITHIN])
def test_rows_that_print_another_score_than_their_metrics_give_say_so(name):
    row = PUBLISHED[name]
    assert f"the printed score, {row.printed}, is" in row.note
    assert "the printed metrics give" in row.note


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        # of WavLM Large, as s3prl prints them
        *(("sv_eer", 0.0377), ("sf_f1", 0.9221), ("qbe_mtwv", 0.0886)),
        *(("pr_per", 0.0306), ("asr_wer", 0.0344), ("sd_der", 0.0324)),
        *(("sf_cer", 0.1836), ("ks_acc", 1.0)),
        # of filter banks
        *(("sid_acc", 0.2006), ("er_acc", 0.4824), ("qbe_mtwv", 0.0058)),
    ],
)
def test_fractions_are_refused(metric, value):
    with pytest.raises(ValueError, match=f"expected percentages.*'{metric}', {value}"):
        superb_score({**WAVLM_LARGE.metrics, metric: value})


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        *((name, 0.0) for name in METRICS),
        # at chance: one of 1251 speakers, 12 words, 4 emotions
        *(("sid_acc", 0.08), ("ks_acc", 8.3), ("er_acc", 25.0)),
        *(("qbe_mtwv", 0.58), ("ic_acc", 9.65)),  # of filter banks
        *(("pr_per", 1.6), ("sv_eer", 1.2), ("sd_der", 1.7)),
    ],
)
def test_percentages_are_no_fractions_however_small(metric, value):
    superb_score({**WAVLM_LARGE.metrics, metric: value})


def test_wrong_metrics_are_refused():
    with pytest.raises(ValueError, match=r"missing \['sd_der'\]"):
        task_scores({m: 5.0 for m in METRICS if m != "sd_der"})
    with pytest.raises(ValueError, match=r"unknown.*'wer'"):
        task_scores({**FBANK.metrics, "wer": 5.0})
    with pytest.raises(ValueError, match="expected one of"):
        metric_score("wer", 5.0)


def test_the_command_prints_the_published_table(capsys):
    superb.main(["score"])
    lines = capsys.readouterr().out.splitlines()
    columns = lines[0].strip("| ").split(" | ")
    assert columns == [
        "system",
        *dict.fromkeys(METRICS.values()),
        "superb_s",
        "printed",
    ]
    row = next(line for line in lines if line.startswith("| WavLM Base "))
    assert row.endswith("| 895.8 | 896.0 |")
    assert any("without FAHP: the printed score, 721.79" in line for line in lines)


def test_the_command_scores_a_file(tmp_path, capsys):
    path = tmp_path / "results.yaml"
    path.write_text(yaml.safe_dump({"mine": dict(WAVLM_LARGE.metrics)}))
    superb.main(["score", "--results", str(path)])
    mine = capsys.readouterr().out.splitlines()[2]
    assert mine.startswith("| mine |")
    assert mine.endswith("| 1000.0 | - |")


@pytest.mark.parametrize(
    "content", ["[]", "a: 1", "a: {ks_acc: 90}", "a: {ks_acc: x}", "{"]
)
def test_the_command_refuses_other_files(content, tmp_path, capsys):
    path = tmp_path / "results.yaml"
    path.write_text(content)
    with pytest.raises(SystemExit):
        superb.main(["score", "--results", str(path)])
    assert "expected" in capsys.readouterr().err
