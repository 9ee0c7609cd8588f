"""The model card: every fact is that of a file, and the hub's own tools can read it."""

import base64
import hashlib
import shutil
from html.parser import HTMLParser

import pytest
from card_exp import FIGURES, TRAININGS, write_expdir
from huggingface_hub import ModelCard
from tiny import random_encoder, tiny_config

from pruneasr.encoder import save_encoder
from pruneasr.pruning.widths import config_widths
from pruneasr.results.collect import METRICS, System
from pruneasr.results.runs import Run
from pruneasr.results.tuned_card import HUB_TASKS, write_run_cards, write_system_card

TITLE = "Tiny (synthetic speech): ASR"


@pytest.fixture
def exp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the recipe's folder
    return write_expdir(tmp_path)


def pruned(exp, name="pruned", encoder="recover/encoder"):
    scores = {"test": {"WER": [30.0, 33.0], "CER": [20.0, 20.5]}}
    tuned = tuple(exp / name for name in TRAININGS if name.startswith("asr"))
    numel = sum(p.numel() for p in random_encoder(tiny_config(ffn=8)).parameters())
    return System(name, exp / encoder, tuned, numel, 1, scores, 1.0)


def write(exp, system=None):
    systems = [system or pruned(exp)]
    calls = ["run.sh  # commit abc"]
    write_system_card(TITLE, calls, systems, "## Systems\n", "asr", exp)
    return exp / "recover" / "encoder"


def test_the_head_is_what_the_hub_reads(exp):
    card = ModelCard.load(write(exp) / "README.md")
    assert card.data.library_name == "pruneasr"
    assert card.data.tags == ["speech", "pruning"]
    wer, cer = card.data.eval_results
    assert (wer.metric_type, wer.metric_value) == ("wer", 31.5)
    assert (cer.metric_type, cer.metric_value) == ("cer", 20.2)
    assert wer.metric_name == "WER %, mean of 2 seeds"
    assert (wer.dataset_type, wer.dataset_split) == ("tiny-synthetic-speech", "test")
    assert wer.task_type == "automatic-speech-recognition"


def test_every_task_has_a_name_on_the_hub():
    assert HUB_TASKS.keys() == METRICS.keys()


def test_teacher_audio_and_calls_are_told(exp):
    text = (write(exp) / "README.md").read_text()
    for encoder in ("teacher", "recover/encoder"):
        weights = (exp / encoder / "model.safetensors").read_bytes()
        assert hashlib.sha256(weights).hexdigest() in text
    assert '"training_config": "exp/pretrain1/config.yaml"}`' in text
    assert (
        "Learned gates removed the rest while it was distilled from the teacher. Then "
        "it was distilled from the teacher once more. Made by" in text
    )
    for name in TRAININGS:  # 28.8 million samples are half an hour
        assert f"| {name} | data/train | 2 | 0.50 |" in text
    assert "| data/train | AN4/audio | 1 | 0.28 |\n" in text
    assert "| data/train | data/extra | 1 | 0.22 |\n" in text
    assert str(exp.parent) not in text
    assert "/corpora" not in text
    assert f"\n{TITLE}. Made by\n\n```\nlocal/data.sh --synthetic 5\n```\n" in text
    assert "\n```\nrun.sh  # commit abc\n```\n" in text
    assert "- pytorch: " in text
    sizes = [
        sum(p.numel() for p in random_encoder(tiny_config(**options)).parameters())
        for options in ({"ffn": 8}, {})
    ]
    assert f"{100 * sizes[0] / sizes[1]:.1f} % of its teacher's" in text


def test_folders_of_speakers_are_told_by_the_one_above(exp):
    data = exp.parent / "data" / "train"
    names = [f"u{i}" for i in range(20)]
    paths = [f"/corpora/part/{i}/{i % 2}/x.flac" for i in range(18)]
    paths += ["/corpora/other/deep/x.flac", "/corpora/other/y.flac"]
    for table, values in {
        "wav.scp": paths,
        "utt2num_samples": ["2880000"] * 20,
    }.items():
        lines = [f"{n} {value}\n" for n, value in zip(names, values, strict=True)]
        (data / table).write_text("".join(lines))
    text = (write(exp) / "README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| data/train |")]
    assert rows == [
        "| data/train | corpora/other | 2 | 0.10 |",
        "| data/train | corpora/part | 18 | 0.90 |",
    ]
    (data / "utt2num_samples").write_text("u0 1\n")
    with pytest.raises(ValueError, match="found 20 and 1; run the stage data again"):
        write(exp)


def test_data_that_were_there_already_are_called_so(exp):
    (exp.parent / "data" / ".done").unlink()
    text = (write(exp) / "README.md").read_text()
    assert "# data was made without stage data" in text


def test_the_page_holds_its_figures(exp):
    sources = []

    class Images(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag not in {"link", "script"}
            if tag == "img":
                sources.append(dict(attrs)["src"])

    directory = write(exp)
    page = (directory / "card.html").read_text()
    Images().feed(page)
    found = [base64.b64decode(source.split(",")[1]) for source in sources]
    assert found == list(FIGURES.values())
    assert "<title>Tiny (synthetic speech): pruned wavlm</title>" in page
    assert "<td>1</td>" in page
    for name, content in FIGURES.items():
        assert f"](figures/{name})" in (directory / "README.md").read_text()
        assert (directory / "figures" / name).read_bytes() == content


def test_a_published_teacher_was_not_trained_here(exp):
    (exp / "teacher").rename(exp.parent / "published")
    for path in (exp / "recover" / "config.yaml", exp / "pruned" / "config.json"):
        text = path.read_text().replace(str(exp / "teacher"), "published")
        path.write_text(text.replace("exp/teacher", "published"))
    assert "| pretrain1 |" not in (write(exp) / "README.md").read_text()


def test_what_is_missing_is_named(exp):
    def refused(message, **system):
        with pytest.raises(ValueError, match=message):
            write(exp, pruned(exp, **system))
        assert not (exp / "recover" / "encoder" / "README.md").exists()

    refused(r"expected a system pruned .* found \['teacher'\]", name="teacher")
    refused("another recipe made", encoder="teacher")
    (exp / "pruned" / "report.md").rename(exp / "report.md")
    refused("pruned/report.md; run the stage prune first")
    (exp.parent / "data" / "train" / "utt2num_samples").unlink()
    refused("expected a file of `id value` lines at .*utt2num_samples, found none")
    shutil.copytree(exp / "teacher", exp / "other")
    path = exp / "recover" / "config.yaml"
    path.write_text(path.read_text().replace("exp/teacher", "exp/other"))
    refused("expected one teacher")
    shutil.rmtree(exp / "distill")
    refused("distill/config.yaml; the training in")


@pytest.fixture
def write_cards(exp):
    """Return a function that writes the cards of encoders, each of one run."""

    def write(*encoders):
        widths, tuned = config_widths(tiny_config()), exp / "asr_pruned_seed1"
        runs = [
            Run(exp / path.name, 1, tuned, path, widths, 1, 1, {"test": 40.0})
            for path in encoders
        ]
        factors = dict.fromkeys(encoders, 0.1)
        probes = {"ks_acc": {runs[0].folder: 80.0}, "er_acc": {}}
        calls = ["run_ablation.sh"]
        write_run_cards("Tiny: ablation", calls, runs, factors, ["test"], "slu", probes)

    return write


def test_runs_of_ablations_and_curves_have_cards_if_pruned(exp, write_cards):
    write_cards(exp / "pruned", exp / "teacher")
    text = (exp / "pruned" / "README.md").read_text()
    row = f"| {exp}/asr_pruned_seed1 | 0.000 | 0.000 | 0.10000 | 40.0 | 80.00 |"
    assert row in text
    (score,) = ModelCard.load(exp / "pruned" / "README.md").data.eval_results
    assert (score.metric_name, score.metric_value) == ("slot F1 %, mean of 1 seed", 60)
    assert not (exp / "teacher" / "README.md").exists()


def test_only_an_encoder_whose_trainings_are_gone_has_no_card(exp, write_cards, caplog):
    small = random_encoder(tiny_config(ffn=8))
    made = {"teacher": "exp/teacher", "experiment": "exp/gone", "sparsity": {}}
    save_encoder(small, exp / "of_old", made)
    write_cards(exp / "of_old", exp / "pruned")
    assert f"no model card of {exp}/of_old: expected exp/gone/config.yaml" in (
        caplog.text
    )
    assert (exp / "pruned" / "README.md").exists()
    made = {"teacher": "exp/teacher", "scores": "random", "sparsity": {}}
    save_encoder(small, exp / "no_report", made)
    with pytest.raises(ValueError, match=r"no_report/report.md; run the stage prune"):
        write_cards(exp / "no_report")
