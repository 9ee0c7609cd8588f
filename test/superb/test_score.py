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
# the most by which a printed score differs from that of its metrics; the paper names
# neither its filter banks nor its best system
DIFFERENCE = 4.2


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
    if row.printed is not None and not row.note:
        assert score == pytest.approx(row.printed, abs=DIFFERENCE)


def test_the_row_without_fahp_prints_another_score_than_its_metrics_give():
    row = PUBLISHED["proposed without FAHP"]
    assert row.printed - superb_score(row.metrics) == pytest.approx(18.1, abs=0.05)
    assert "721.79, is not what the printed metrics give" in row.note


def test_wrong_metrics_are_refused():
    with pytest.raises(ValueError, match=r"missing \['sd_der'\]"):
        task_scores({m: 5.0 for m in METRICS if m != "sd_der"})
    with pytest.raises(ValueError, match=r"unknown.*'wer'"):
        task_scores({**FBANK.metrics, "wer": 5.0})
    with pytest.raises(ValueError, match="expected one of"):
        metric_score("wer", 5.0)
    with pytest.raises(ValueError, match="multiply fractions by 100"):
        task_scores({**FBANK.metrics, "ks_acc": 0.97})


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
