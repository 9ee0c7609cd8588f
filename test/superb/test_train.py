"""Training of probes: exact resume, the best on dev, the search, and the options."""

import dataclasses
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from superb_features import SHAPE, labelled, make_set, make_store, noise

from pruneasr.superb import train as training_module
from pruneasr.superb.config import Training, read_config
from pruneasr.superb.published import METRICS
from pruneasr.superb.search import edge_of, search
from pruneasr.superb.tasks import TASKS
from pruneasr.superb.train import Sets, best_of, load_probe, predict, train

LABELS = ["up", "down", "left"] * 6
SIZES = {"projection": 8}
TRAINING = Training(learning_rates=(0.01,), steps=12, eval_steps=4, batch_size=5)


@pytest.fixture
def sets(tmp_path):
    names = [f"u{i:02d}" for i in range(len(LABELS))]
    store = make_store(
        tmp_path / "store", dict(zip(names, labelled(LABELS), strict=True))
    )
    texts = dict(zip(names, LABELS, strict=True))
    return Sets(
        store,
        make_set(tmp_path / "train", {name: texts[name] for name in names[:12]}),
        make_set(tmp_path / "dev", {name: texts[name] for name in names[12:]}),
    )


def run(sets, output, task="ks", sizes=SIZES, training=TRAINING, rate=0.01, seed=1):
    return train(
        task,
        sets,
        output,
        sizes=sizes,
        training=training,
        learning_rate=rate,
        seed=seed,
    )


def state(output):
    return torch.load(output / "state.pt", weights_only=True)


def test_what_is_learned_is_predicted(sets, tmp_path):
    longer = Training(learning_rates=(0.01,), steps=40, eval_steps=10, batch_size=6)
    best = run(sets, tmp_path / "exp", training=longer, rate=0.03)
    assert best["dev"]["ks_acc"] == 100
    probe = load_probe(tmp_path / "exp")
    names = [f"u{i:02d}" for i in range(12, 18)]
    assert predict(probe, sets.store, names) == dict(
        zip(names, LABELS[12:], strict=True)
    )


@pytest.mark.parametrize("task", ["ks", "asr"])
def test_a_stopped_training_ends_as_one_that_was_not(sets, tmp_path, task, monkeypatch):
    # ASR has dropout, and cuts draw random numbers too
    sizes = SIZES if task == "ks" else {"projection": 8, "units": 8, "dropout": 0.5}
    frames = 12 if task == "ks" else None
    training = Training((0.01,), steps=6, eval_steps=2, batch_size=5, max_frames=frames)
    options = {"task": task, "sizes": sizes, "training": training}
    whole = run(sets, tmp_path / "whole", **options)
    original, calls = training_module.load_batch, []

    def killed(*args, **kwargs):
        calls.append(args)
        if len(calls) == 4:  # in the second interval
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(training_module, "load_batch", killed)
    with pytest.raises(KeyboardInterrupt):
        run(sets, tmp_path / "halves", **options)
    assert state(tmp_path / "halves")["step"] == 2
    monkeypatch.undo()
    assert run(sets, tmp_path / "halves", **options) == whole
    first, second = state(tmp_path / "whole"), state(tmp_path / "halves")
    assert first["history"] == second["history"]
    for name, tensor in first["probe"].items():
        assert torch.equal(tensor, second["probe"][name])
    best = [load_file(tmp_path / x / "best.safetensors") for x in ("whole", "halves")]
    assert all(torch.equal(best[0][name], best[1][name]) for name in best[0])


def test_seeds_differ_and_repeat(sets, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(sets, tmp_path / name, seed=seed)
    losses = [[h["loss"] for h in state(tmp_path / x)["history"]] for x in "abc"]
    assert losses[0] == losses[1] != losses[2]


def test_the_best_on_dev_is_kept(sets, tmp_path, monkeypatch):
    values = iter([30.0, 50.0, 50.0])
    task = training_module.TASKS["ks"]
    scripted = {
        "ks": type(task)("", task.probe, lambda *_: {"ks_acc": next(values)}, True)
    }
    monkeypatch.setattr(training_module, "TASKS", scripted)
    best = run(sets, tmp_path / "exp")
    assert (best["step"], best["dev"]) == (8, {"ks_acc": 50.0})
    kept = load_file(tmp_path / "exp" / "best.safetensors")
    last = state(tmp_path / "exp")["probe"]
    assert any(not torch.equal(kept[name], last[name]) for name in kept)


@pytest.mark.parametrize("task", TASKS)
def test_which_way_is_up(task):
    metric = next(name for name, of_task in METRICS.items() if of_task == task)
    assert TASKS[task].higher_is_better == (task not in {"pr", "asr", "sv", "sd"})
    tried = [{"dev": {metric: value}} for value in (20.0, 30.0, 10.0)]
    best = best_of(task, tried)
    assert best is tried[1 if TASKS[task].higher_is_better else 2]


def test_lower_is_better_for_error_rates():
    tried = [{"dev": {"sv_eer": 30.0}}, {"dev": None}, {"dev": {"sv_eer": 20.0}}]
    assert best_of("sv", tried) is tried[2]
    with pytest.raises(ValueError, match="every training diverged"):
        best_of("sv", [{"dev": None}])


@pytest.mark.parametrize(
    ("rates", "chosen", "edge"),
    [
        ((1e-1, 1e-2, 1e-3), 1e-2, None),
        ((1e-2, 1e-1, 1e-3), 1e-1, "largest"),
        ((1e-2, 1e-3), 1e-3, "smallest"),
        ((1e-2,), 1e-2, "only"),
    ],
)
def test_a_rate_at_the_edge_of_the_grid_is_noticed(rates, chosen, edge):
    tried = [{"learning_rate": rate, "dev": {"ks_acc": 1.0}} for rate in rates]
    assert edge_of({"tried": tried, "chosen": {"learning_rate": chosen}}) == edge


def test_the_search_is_written_down(sets, tmp_path, capsys):
    training = Training((1e-5, 0.03), steps=20, eval_steps=10, batch_size=6)
    result = search(
        "ks", sets, tmp_path / "exp", sizes=SIZES, training=training, seed=1
    )
    assert result == json.loads((tmp_path / "exp" / "search.json").read_text())
    assert [entry["learning_rate"] for entry in result["tried"]] == [1e-5, 0.03]
    assert result["chosen"]["learning_rate"] == 0.03
    warning = "exp: warning: the best learning rate is the largest that was tried"
    assert warning in capsys.readouterr().out
    assert (tmp_path / "exp" / "lr1e-05" / "best.safetensors").exists()


def test_a_wider_search_trains_the_new_rates_only(sets, tmp_path, capsys):
    for rates in ((0.01,), (0.1, 0.01)):
        training = dataclasses.replace(TRAINING, learning_rates=rates)
        options = {"sizes": SIZES, "training": training, "seed": 1}
        result = search("ks", sets, tmp_path / "exp", **options)
    assert [entry["learning_rate"] for entry in result["tried"]] == [0.1, 0.01]
    assert capsys.readouterr().out.count("lr0.01 step") == 3


def test_a_training_that_diverges_is_written_down(sets, tmp_path):
    bad = noise(20, 0) * float("inf")
    names = {f"u{i:02d}": bad for i in range(18)}
    store = make_store(tmp_path / "bad", names)
    with pytest.raises(ValueError, match="lower the learning_rates"):
        search(
            "ks",
            Sets(store, sets.train, sets.dev),
            tmp_path / "exp",
            sizes=SIZES,
            training=TRAINING,
            seed=1,
        )


def test_missing_features_are_found_before_the_training(sets, tmp_path):
    store = make_store(tmp_path / "few", {"u00": noise(20, 0)})
    with pytest.raises(ValueError, match="none of 11, u01 among them"):
        search(
            "ks",
            Sets(store, sets.train, sets.dev),
            tmp_path / "exp",
            sizes=SIZES,
            training=TRAINING,
            seed=1,
        )


def test_another_head_is_not_resumed(sets, tmp_path):
    run(sets, tmp_path / "exp")
    smaller = Training((0.01,), steps=12, eval_steps=4, batch_size=4)
    with pytest.raises(ValueError, match=r"trained with other batch_size; give"):
        run(sets, tmp_path / "exp", training=smaller)
    with pytest.raises(ValueError, match="trained with other sizes"):
        run(sets, tmp_path / "exp", sizes={"projection": 9})
    shutil.rmtree(sets.train)
    labels = {f"u{i:02d}": ("UP", "down", "left")[i % 3] for i in range(12)}
    make_set(sets.train, labels)
    with pytest.raises(ValueError, match="trained with other vocabulary"):
        run(sets, tmp_path / "exp")
    assert SHAPE.num_layers == load_probe(tmp_path / "exp").shape.num_layers


GOOD = "{learning_rates: [0.1], steps: 4, eval_steps: 2, batch_size: 1}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected `probe` and `training`"),
        (f"training: {GOOD}", "expected `probe` and `training`"),
        (f"{{probe: {{units: 3}}, training: {GOOD}}}", "'units'"),
        ("{probe: {}, training: {step: 3}}", "'step'"),
        (f"{{probe: {{}}, training: {GOOD}}}".replace("0.1", ""), "learning_rates"),
        (f"{{probe: {{}}, training: {GOOD}}}".replace("0.1", "1e-3"), "for a word"),
        (f"{{probe: {{}}, training: {GOOD}}}".replace(": 4", ": 5"), "a multiple"),
        (f"{{probe: {{}}, training: {GOOD[:-1]}, max_frames: 0}}}}", "1.0 and 0$"),
        (f"{{probe: {{}}, training: {GOOD[:-1]}, clip: 0}}}}", "0 and None$"),
        (f"{{probe: {{}}, training: {GOOD[:-1]}, clip: .nan}}}}", "nan and None$"),
        ("{probe: {}, training: [1]}", "must be a mapping"),
        ("{probe: {", "expected YAML: "),
    ],
)
def test_wrong_options_are_refused(content, message, tmp_path):
    path = tmp_path / "ks.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_config(path, "ks")


@pytest.mark.parametrize("option", ["max_frames: 9", "balanced: true"])
def test_what_needs_one_label_is_refused_for_a_sequence(option, tmp_path):
    path = tmp_path / "sd.yaml"
    path.write_text(
        f"{{probe: {{}}, training: {GOOD}}}".replace("1}", f"1, {option}}}")
    )
    with pytest.raises(ValueError, match="where an utterance has one label; sd has"):
        read_config(path, "sd")
    assert read_config(path, "sid")[1].steps == 4


def test_a_broken_set_is_found_before_the_training(sets, tmp_path):
    with pytest.raises(ValueError, match="expected trials of verification"):
        search(
            "sv",
            sets,
            tmp_path / "exp",
            sizes={"units": 4, "pooled_units": 4},
            training=TRAINING,
            seed=1,
        )
    assert not (tmp_path / "exp").exists()


def test_options_are_read(tmp_path):
    path = tmp_path / "ks.yaml"
    path.write_text(f"{{probe: {{projection: 3}}, training: {GOOD}}}")
    assert read_config(path, "ks") == ({"projection": 3}, Training([0.1], 4, 2, 1))
    with pytest.raises(ValueError, match="qbe trains nothing"):
        read_config(path, "qbe")
    with pytest.raises(ValueError, match="found none"):
        read_config(tmp_path / "no.yaml", "ks")
