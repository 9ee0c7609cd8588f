"""Score against parameters: what is drawn on which side, and what is said of it."""

import pytest

from pruneasr.figure import pyplot
from pruneasr.superb.figure import (
    Probed,
    common_tasks,
    plot_scores,
    scores_section,
    side_by_side,
)
from pruneasr.superb.published import FBANK, PUBLISHED, WAVLM_LARGE

# between filter banks and WavLM Large, by hand: 41.38 + 56.48 / 2, 69.64 + 22.57 / 4
HALF_KS = {"ks_acc": 69.62, "asr_cer": 50.0}
QUARTER_SF = {"sf_f1": 75.2825, "sf_cer": 52.94 - 34.58 / 4}


def drawn(monkeypatch, *arguments):
    """Label -> point on each side, before the figure is closed."""
    plt = pyplot()
    monkeypatch.setattr(plt, "close", lambda _: None)
    plot_scores(*arguments)
    sides = []
    for axis in plt.gcf().axes:
        handles, labels = axis.get_legend_handles_labels()
        points = [tuple(handle.lines[0].get_xydata()[0]) for handle in handles]
        sides.append(dict(zip(labels, points, strict=True)))
    return plt.gcf().axes, sides


def test_a_task_counts_where_every_encoder_has_all_its_metrics():
    full = Probed(1.0, {**HALF_KS, **QUARTER_SF})
    half = Probed(1.0, {**HALF_KS, "sf_f1": 80.0})
    assert common_tasks({"a": [full]}) == ["ks", "sf"]
    assert common_tasks({"a": [full], "b": [full, half]}) == ["ks"]
    assert common_tasks({"a": [Probed(1.0, WAVLM_LARGE.metrics)]}) == [
        *("ks", "ic", "pr", "asr", "er", "qbe", "sf", "sid", "sv", "sd")
    ]


def test_published_and_ours_are_apart_and_named(tmp_path, monkeypatch):
    seeds = [Probed(1.0, FBANK.metrics), Probed(3.0, WAVLM_LARGE.metrics)]
    pruned = [Probed(0.5, {**HALF_KS, **QUARTER_SF})]
    encoders = {"teacher": seeds, "pruned": pruned}
    axes, (left, right) = drawn(
        monkeypatch, encoders, ["ks", "sf"], tmp_path / "figures" / "superb.png"
    )
    assert left["proposed"] == pytest.approx((26.57, 768.2), abs=0.05)
    x, y = left["WavLM Base"]  # beside the other Base encoders
    assert x == pytest.approx(94.70, rel=0.01)
    assert y == pytest.approx(895.8, abs=0.05)
    assert left.keys() == PUBLISHED.keys() - {"proposed without FAHP"}
    assert right["teacher"] == pytest.approx((2.0, 500.0))
    assert right["pruned"] == pytest.approx((0.5, (500 + 250) / 2))
    assert right.keys() == encoders.keys()
    assert [axis.get_title() for axis in axes] == [
        "published: official sets, ten tasks",
        "ours, on the data of the report: ks sf",
    ]
    assert axes[1].get_ylabel() == "formula of superb_s over these tasks"
    assert (tmp_path / "figures" / "superb.png").stat().st_size > 0


def test_a_small_difference_looks_small_and_one_seed_has_no_bars(tmp_path, monkeypatch):
    seeds = [Probed(3.0, {"ks_acc": accuracy}) for accuracy in (69.0, 70.0)]
    encoders = {"one seed": [Probed(1.0, HALF_KS)], "two": seeds}
    axes, _ = drawn(monkeypatch, encoders, ["ks"], tmp_path / "s.png")
    low, high = zip(*(axis.get_ylim() for axis in axes), strict=True)
    assert high[1] - low[1] == pytest.approx(high[0] - low[0])
    assert high[1] - low[1] > 400  # wav2vec to WavLM
    assert low[1] < 500 < high[1]
    handles, _ = axes[1].get_legend_handles_labels()
    assert [handle.has_yerr for handle in handles] == [False, True]


def test_the_section_names_the_tasks_and_what_is_not_drawn(tmp_path):
    text = scores_section({"pruned": [Probed(0.5, HALF_KS)]}, tmp_path / "s.png")
    assert text.startswith("![score against parameters](figures/s.png)")
    assert "not drawn: proposed without FAHP, of unprinted size" in text
    assert "run on all of them (ks)" in text


def test_encoders_without_a_task_in_common_are_not_drawn(tmp_path):
    encoders = {"a": [Probed(1.0, HALF_KS)], "b": [Probed(1.0, QUARTER_SF)]}
    text = scores_section(encoders, tmp_path / "s.png")
    assert text.startswith("No figure of scores against parameters: no task was run")
    assert not (tmp_path / "s.png").exists()


def test_points_of_nearly_one_size_stand_side_by_side():
    # the range is 1, so that they are 0.01 apart around their mean
    places = side_by_side([0.454, 1.4, 0.4, 0.452, 0.453])
    assert places == pytest.approx([0.463, 1.4, 0.4, 0.443, 0.453])


def test_points_of_one_size_alone_stay():
    assert side_by_side([0.3, 0.3]) == [0.3, 0.3]
    assert side_by_side([]) == []
