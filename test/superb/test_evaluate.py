"""From data directories and predictions to metrics, and the search for a query."""

import numpy as np
import pytest
import torch
from superb_features import INFORMED, make_set, make_store, noise

from pruneasr.bin import superb
from pruneasr.data.datadir import read_table, write_table
from pruneasr.superb import search_layers as search_layers_module
from pruneasr.superb.evaluate import (
    evaluate_asr,
    evaluate_qbe,
    evaluate_sd,
    evaluate_sf,
    evaluate_sv,
    read_queries,
)
from pruneasr.superb.score import METRICS_OF
from pruneasr.superb.search_layers import search_layers, search_queries
from pruneasr.superb.tasks import TASKS


def test_every_task_of_superb_is_there_in_the_order_of_its_table():
    assert list(TASKS) == list(METRICS_OF)
    assert len(TASKS) == 10


def test_texts_and_labels(tmp_path):
    data = make_set(tmp_path / "asr", {"a": "TEN SIX", "b": "YES"})
    rates = evaluate_asr(data, {"a": "TEN SIT", "b": "YES"})
    assert rates == pytest.approx({"asr_wer": 100 / 3, "asr_cer": 10})
    data = make_set(tmp_path / "ic", {"a": "on light", "b": "off light"})
    for task in ("ks", "ic", "sid", "er"):
        metrics = TASKS[task].evaluate(data, {"a": "on light", "b": "on light"})
        assert metrics == {f"{task}_acc": 50}
    data = make_set(tmp_path / "sf", {"a": "B-x ab E-x B-y cd E-y"})
    rates = evaluate_sf(data, {"a": "B-x ab E-x"})
    assert rates == pytest.approx({"sf_f1": 200 / 3, "sf_cer": 50})
    with pytest.raises(ValueError, match="expected references, found none"):
        evaluate_sf(make_set(tmp_path / "empty", {}), {})


def test_trials_are_scored_by_the_cosine(tmp_path):
    data = make_set(tmp_path / "sv", {"a": "s", "b": "s", "c": "t"})
    trials = data / "trials"
    with pytest.raises(ValueError, match="expected trials"):
        evaluate_sv(data, {"a": "1 0", "b": "2 0.1", "c": "0 9"})
    trials.write_text("a b target\na c nontarget\nb c nontarget\n")
    assert evaluate_sv(data, {"a": "1 0", "b": "2 0.1", "c": "0 9"}) == {"sv_eer": 0}
    assert evaluate_sv(data, {"a": "1 0", "b": "0 3", "c": "2 2"}) == {"sv_eer": 100}
    trials.write_text("a d target\n")
    with pytest.raises(ValueError, match=r"expected utterances of .*text, found \['d'"):
        evaluate_sv(data, {"a": "1 0", "b": "0 3", "c": "2 2"})
    trials.write_text("a b yes\n")
    with pytest.raises(ValueError, match="trials:1: expected `utterance utterance"):
        evaluate_sv(data, {"a": "1 0", "b": "0 3", "c": "2 2"})


def test_diarisation_is_scored_with_and_without_collar(tmp_path):
    pytest.importorskip(
        "pyannote.metrics", reason="pyannote.metrics scores diarisation; not installed"
    )
    data = make_set(tmp_path / "sd", {"r": "a:0:4 b:4:10"})
    rates = evaluate_sd(data, {"r": "0:0:4.5 1:4.5:10"})
    assert rates == pytest.approx({"sd_der": 5, "sd_der_collar": 100 * 0.25 / 9})


@pytest.fixture
def search_set(tmp_path):
    """Documents of words; the informed layer spells them, the others are noise."""
    words = ("one", "two", "three")
    codes = {word: 2 * noise(6, 100 + i)[INFORMED] for i, word in enumerate(words)}
    texts = {f"d{i}": f"{words[i % 3]} {words[(i + i // 3) % 3]}" for i in range(9)}
    texts |= {f"q{word}": word for word in words}
    states = {}
    for i, (name, text) in enumerate(texts.items()):
        spoken = torch.cat([codes[word] for word in text.split()])
        states[name] = noise(len(spoken), i)
        states[name][INFORMED] = spoken + 0.1 * states[name][INFORMED]
    data = make_set(tmp_path / "qbe", texts)
    write_table(data / "queries", {f"q{word}": "" for word in words})
    return make_store(tmp_path / "store", states), data


def test_queries_are_found_and_the_layer_is_chosen_on_dev(search_set, tmp_path):
    store, data = search_set
    result = search_layers(store, data, tmp_path / "exp")
    assert result["chosen"]["layer"] == INFORMED
    assert result["chosen"]["dev"] == {"qbe_mtwv": pytest.approx(100)}
    assert len(result["tried"]) == store.shape.num_layers
    found = search_queries(store, data, INFORMED)["qone"]
    scores = {w.split(":")[0]: float(w.split(":")[1]) for w in found.split()}
    texts = read_table(data / "text")
    with_one = [scores[d] for d in scores if "one" in texts[d]]
    without = [scores[d] for d in scores if "one" not in texts[d]]
    assert min(with_one) > max(without)
    assert sum(scores.values()) == pytest.approx(0, abs=1e-2)
    with pytest.raises(ValueError, match="a layer from 0 to 2, found 3"):
        search_queries(store, data, 3)


def test_a_stopped_search_goes_on_with_the_layer_it_was_at(
    search_set, tmp_path, monkeypatch
):
    store, data = search_set
    whole = search_layers(store, data, tmp_path / "whole")
    original, calls = search_layers_module.search_queries, []

    def killed(store, data, layer):
        calls.append(layer)
        if calls == [0, 1]:
            raise KeyboardInterrupt
        return original(store, data, layer)

    monkeypatch.setattr(search_layers_module, "search_queries", killed)
    with pytest.raises(KeyboardInterrupt):
        search_layers(store, data, tmp_path / "halves")
    assert not (tmp_path / "halves" / "search.json").exists()
    assert search_layers(store, data, tmp_path / "halves") == whole
    assert calls == [0, 1, 1, 2]


def test_dimensions_are_scaled_over_all_frames_in_place():
    generator = np.random.default_rng(0)
    matrices = [generator.normal(3, 5, (n, 4)).astype(np.float32) for n in (7, 9)]
    matrices[0][:, 2] = matrices[1][:, 2] = 1  # a constant one becomes 0
    together = np.concatenate(matrices)
    frames = dict(zip("ab", matrices, strict=True))
    search_layers_module._normalize(frames)
    expected = (together - together.mean(0)) / np.maximum(together.std(0), 1e-9)
    np.testing.assert_allclose(np.concatenate(matrices), expected, atol=1e-5)


def test_matches_without_transcripts_are_names_of_queries(tmp_path):
    # as egs/superb/README.md says of QUESST
    texts = {"q_1": "q_1", "q_10": "q_10", "a": "q_10 q_1", "b": "q_10", "c": ""}
    data = make_set(tmp_path / "qbe", texts)
    write_table(data / "queries", {"q_1": "", "q_10": ""})
    found = {"a": {"q_1", "q_10"}, "b": {"q_10"}, "c": set()}
    assert read_queries(data) == (["q_1", "q_10"], found)


def test_a_query_matches_whole_words_in_a_row(tmp_path):
    texts = {"q": "one two", "a": "five one two", "b": "two one", "c": "bone two"}
    data = make_set(tmp_path / "qbe", texts)
    write_table(data / "queries", {"q": ""})
    assert evaluate_qbe(data, {"q": "a:2.0 b:1.0 c:0.0"}) == {"qbe_mtwv": 100}
    assert evaluate_qbe(data, {"q": "a:0.5 b:1.0 c:0.0"}) == {"qbe_mtwv": 0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train --task ks --features x --dev x --output x", "--config and --train"),
        ("train --task st --features x --dev x --output x", "invalid choice: 'st'"),
        ("decode --task ks --features x --data x --output x", "--experiment"),
        ("features --encoder x --output x", "--wav-scp"),
    ],
)
def test_wrong_command_lines_are_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        superb.main(arguments.split())
    assert message in capsys.readouterr().err
