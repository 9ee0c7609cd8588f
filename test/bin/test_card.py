"""The card of any encoder by one command, with fine-tunings and probes where given."""

import hashlib
import json

import pytest
from card_exp import TRAININGS, write_expdir
from huggingface_hub import ModelCard
from superb_runs import write_run
from tiny import random_encoder, tiny_config

from pruneasr.bin import card as card_command
from pruneasr.encoder import save_encoder
from pruneasr.results.lineage import read_lineage


@pytest.fixture
def exp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the recipe's folder
    return write_expdir(tmp_path)


def card_of(encoder, *options):
    command = ["--encoder", str(encoder), "--title", "Tiny: pruning", *options]
    card_command.main(command)
    return (encoder / "README.md").read_text()


def test_any_encoder_has_a_card_by_one_command(exp, capsys):
    text = card_of(exp / "pruned")
    assert "# Tiny: pruned wavlm\n" in text
    assert "| distill | data/train | 2 | 0.50 |" in text
    assert "| recover |" not in text
    assert "](figures/structure.png)" in text
    assert (exp / "pruned/figures/structure.png").read_bytes() == b"first figure"
    assert "python -m pruneasr.bin.card --encoder " in text
    page = (exp / "pruned" / "card.html").read_text()
    assert page.count('src="data:image/png;base64,') == 2
    assert "card.html" in capsys.readouterr().out
    # one of run_hj.sh: gates under a task's loss, and the teacher of another recipe
    path = exp / "distill" / "config.yaml"
    path.write_text(path.read_text() + "task: slu\n")
    (exp / "teacher").rename(exp.parent / "elsewhere")
    path = exp / "pruned" / "config.json"
    path.write_text(path.read_text().replace("exp/teacher", "elsewhere"))
    text = card_of(exp / "pruned")
    assert "while it was trained for SLU." in text
    assert "| pretrain1 |" not in text


def test_a_card_of_an_encoder_without_trainings(exp):
    made = {"teacher": "exp/teacher", "scores": "magnitude", "sparsity": {}}
    encoder = exp / "pruned"
    save_encoder(random_encoder(tiny_config(ffn=8)), encoder, made)
    (exp / "pretrain1").rename(exp / "gone")
    text = card_of(encoder)
    assert "The units of the lowest scores (magnitude) were removed." in text
    assert "## Audio" not in text
    save_encoder(random_encoder(), exp / "converted", {"source": "somewhere"})
    text = card_of(exp / "converted")
    assert "# Tiny: wavlm\n" in text
    assert 'provenance: `{"source": "somewhere"}`' in text
    save_encoder(random_encoder(), exp / "init", {"init_encoder": {"seed": "1"}})
    assert read_lineage(exp / "init").steps == (
        "It was initialised by init_encoder (seed=1).",
    )


def test_fine_tunings_come_into_the_card_of_any_encoder(exp, monkeypatch):
    monkeypatch.setattr("pruneasr.results.collect.training_seconds", lambda _: 1.0)
    tuned = [exp / name for name in TRAININGS if name.startswith("asr")]
    for experiment, error in zip(tuned, (30.0, 33.0), strict=True):
        test = experiment / "decode" / "test"
        test.mkdir(parents=True)
        (test / "score_wer.json").write_text(json.dumps({"Err": error}))
        (test / "score_cer.json").write_text(json.dumps({"Err": 20.0}))
        path = experiment / "config.yaml"
        path.write_text(path.read_text() + "frontend_conf: {ckpt: exp/pruned}\n")
    text = card_of(exp / "pruned", "--experiment", *map(str, tuned))
    assert "| exp/asr_pruned_seed2 | 33.0 | 20.0 |" in text
    assert "| asr_pruned_seed2 | data/train | 2 | 0.50 |" in text
    wer, _ = ModelCard.load(exp / "pruned" / "README.md").data.eval_results
    assert wer.metric_value == 31.5


def test_probes_of_the_encoder_are_told_and_those_of_another_refused(exp, capsys):
    folder, data = exp / "superb" / "mine", exp / "superb_data"
    write_run(folder, "ks", {"ks_acc": 70.0})
    (data / "ks").mkdir(parents=True)
    (data / "ks" / "about").write_text("two words\n")
    weights = (exp / "pruned" / "model.safetensors").read_bytes()
    facts = {"encoder": "e", "parameters": 1}
    facts["sha256"] = hashlib.sha256(weights).hexdigest()
    (folder / "encoder.json").write_text(json.dumps(facts))
    options = ["--superb", str(folder), "--superb-data", str(data)]
    text = card_of(exp / "pruned", *options)
    assert "## SUPERB probes on the frozen encoder" in text
    assert "| mine | 0.000 | 1 | 71.00 |" in text
    assert "- KS, keyword spotting: two words" in text
    assert f"| {folder}/ks/split1_seed1/test/score.json | ks acc 71.00 |" in text
    with pytest.raises(SystemExit):
        card_of(exp / "teacher", *options)
    assert "expected scores of probes of weights" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        card_of(exp / "pruned", "--superb", "nowhere")
    assert "expected nowhere/encoder.json" in capsys.readouterr().err
