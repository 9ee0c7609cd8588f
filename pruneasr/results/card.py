"""The model card of a pruned encoder: README.md and card.html beside its weights.

The head of README.md is the YAML that the Hugging Face hub reads. card.html says the
same in one file, figures included. Every fact is read from what the recipe left: the
configurations of its trainings, its data directories, its scores, its calls.
"""

from __future__ import annotations

import base64
import html
import json
import re
import statistics
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from markdown_it import MarkdownIt

from pruneasr import SAMPLE_RATE
from pruneasr.data.datadir import read_table
from pruneasr.encoder.checkpoint import WEIGHTS_NAME, load_config, load_metadata
from pruneasr.encoder.hub import CARD_HTML_NAME, CARD_NAME, LIBRARY_NAME, TAGS
from pruneasr.encoder.interop.files import file_digests
from pruneasr.environment import environment_section
from pruneasr.markdown import markdown_table
from pruneasr.pruning.cost import parameters
from pruneasr.pruning.widths import config_widths
from pruneasr.results.collect import METRICS, System, pruned_encoder, same_place
from pruneasr.results.write import GENERATED, pruning_section

# What the hub calls our tasks; it knows none of whole spoken understanding
HUB_TASKS = {"asr": "automatic-speech-recognition", "slu": "audio-classification"}
# Rows of the folders of one set's audio; a corpus with a folder for every speaker is
# told by the folder above them
MAX_FOLDERS = 10
STYLE = """
body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #ccc; padding: 0.2em 0.6em; }
pre { background: #f4f4f4; padding: 0.8em; overflow-x: auto; }
code { overflow-wrap: anywhere; }
img { max-width: 100%; }
"""


def write_card(
    title: str,
    commands: Sequence[str],
    systems: Sequence[System],
    table: str,
    task: str,
    expdir: Path,
) -> None:
    """Write README.md, card.html and figures/ beside the encoder of system ``pruned``.

    Args:
        title: of the recipe; says which corpus, and whether its speech is synthetic.
        commands: how the recipe was called.
        systems: what was fine-tuned.
        table: of :func:`pruneasr.results.write.systems_section`.
        task: a key of METRICS.
        expdir: of the recipe, where the encoder was made.

    Raises:
        ValueError: if there is no such system, its encoder was not made in this expdir,
            or something that the card tells is missing.
    """
    pruned = next((system for system in systems if system.name == "pruned"), None)
    if pruned is None:
        names = [system.name for system in systems]
        raise ValueError(f"expected a system pruned for the model card; found {names}")
    if not same_place(pruned.encoder, pruned_encoder(expdir)):
        raise ValueError(
            f"expected the pruned encoder in {pruned_encoder(expdir)}; found "
            f"{pruned.encoder}, which another recipe made and describes"
        )
    teacher = _teacher(expdir)
    corpus = title.partition(":")[0]
    name = f"{corpus}: pruned {load_config(pruned.encoder).family}"
    body = "\n".join(
        [
            f"# {name}\n",
            f"{GENERATED}\n",
            _summary(title, pruned, teacher),
            _origin(pruned.encoder, teacher),
            _audio(title, pruned, teacher, expdir),
            table,
            pruning_section(expdir / "pruned", pruned.encoder),
            environment_section(commands),
        ]
    )
    data = ModelCardData(
        model_name=name,
        library_name=LIBRARY_NAME,
        tags=list(TAGS),
        pipeline_tag="feature-extraction",
        eval_results=_eval_results(corpus, task, pruned),
    )
    card = ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}")
    card.save(pruned.encoder / CARD_NAME)
    text = _html(name, body, pruned.encoder)
    (pruned.encoder / CARD_HTML_NAME).write_text(text, encoding="utf-8")


def _teacher(expdir: Path) -> Path:
    """Return the teacher of both distillations."""
    trainings = [expdir / "distill", expdir / "recover"]
    teachers = [_training_config(training)["teacher"] for training in trainings]
    if len(set(teachers)) != 1:
        raise ValueError(
            f"expected one teacher in the config.yaml of {expdir}/distill and "
            f"{expdir}/recover; found {teachers}; train again what is older"
        )
    return Path(teachers[0])


def _training_config(training: Path) -> dict[str, Any]:
    path = training / "config.yaml"
    if not path.exists():
        raise ValueError(f"expected {path}; the training in {training} writes it")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _summary(title: str, pruned: System, teacher: Path) -> str:
    config = load_config(teacher)
    dense = int(parameters(config, config_widths(config)).total)
    left = pruned.num_parameters
    return f"""\
A speech encoder of the family {config.family} with {left / 1e6:.3f} M parameters,
{100 * left / dense:.1f} % of its teacher's {dense / 1e6:.3f} M. Learned gates removed
the rest while it was distilled from the teacher; a second distillation trained what was
left. Made by the recipe "{title}".

```python
from pruneasr.encoder import load_encoder

encoder = load_encoder(directory)  # with {WEIGHTS_NAME} and config.json
```
"""


def _origin(encoder: Path, teacher: Path) -> str:
    facts = {
        f"SHA-256 of this {WEIGHTS_NAME}": _digest(encoder),
        "written by pruneasr": load_metadata(encoder)["pruneasr_version"],
        "teacher": _shown(teacher),
        f"SHA-256 of the teacher's {WEIGHTS_NAME}": _digest(teacher),
        "provenance of the teacher": json.dumps(load_metadata(teacher)["provenance"]),
    }
    lines = [f"- {name}: `{value}`" for name, value in facts.items()]
    return "## Origin\n\n" + "\n".join(lines) + "\n"


def _digest(encoder: Path) -> str:
    path = encoder / WEIGHTS_NAME
    if not path.exists():
        raise ValueError(f"expected {path}; the card tells its SHA-256")
    return file_digests([path])[WEIGHTS_NAME]


def _audio(title: str, pruned: System, teacher: Path, expdir: Path) -> str:
    """Return what every training that led here heard, by its own configuration.

    The title names the corpus as it is by default. Options of local/data.sh may have
    put synthetic speech in its place, so the marker of stage data is shown too, and
    variables may name more corpora, so the folders of the audio are.
    """
    trainings = [expdir / "distill", expdir / "recover", *pruned.experiments]
    if teacher == expdir / "teacher":  # not a published one
        trainings = sorted(expdir.glob("pretrain[0-9]*")) + trainings
    rows, calls = [], set()
    heard: dict[Path, list[list[str]]] = {}
    for training in trainings:
        entries = _training_config(training)["train_data_path_and_name_and_type"]
        for path in (Path(entry[0]) for entry in entries if entry[1] == "speech"):
            data = path.parent
            calls.add(_call_that_made(data.parent))
            lengths = read_table(data / "utt2num_samples")
            rows.append([training.name, _shown(data), *_amount(lengths.values())])
            heard[data] = _folders(data, lengths)
    called = "\n".join(["```", *sorted(calls), "```"])
    amount = ["utterances", "hours"]
    table = markdown_table(["training", "heard", *amount], rows, 2)
    folders = [row for rows_of in heard.values() for row in rows_of]
    sources = markdown_table(["set", "folder of the audio", *amount], folders, 2)
    return f"## Audio\n\n{title}. Made by\n\n{called}\n\n{table}\n{sources}"


def _folders(data: Path, lengths: Mapping[str, str]) -> list[list[str]]:
    """Return a row for each folder that the audio of a set lies in."""
    audio = read_table(data / "wav.scp")
    if audio.keys() != lengths.keys():
        raise ValueError(
            f"expected the same utterances in wav.scp and utt2num_samples of {data}, "
            f"found {len(audio)} and {len(lengths)}; run the stage data again"
        )
    folder_of = {name: Path(path).parent for name, path in audio.items()}
    while len(set(folder_of.values())) > MAX_FOLDERS:
        deepest = max(len(folder.parts) for folder in folder_of.values())
        folder_of = {
            name: folder.parent if len(folder.parts) == deepest else folder
            for name, folder in folder_of.items()
        }
    found: dict[Path, list[str]] = {}
    for name, folder in folder_of.items():
        found.setdefault(folder, []).append(lengths[name])
    return [
        [_shown(data), _shown(folder), *_amount(found[folder])]
        for folder in sorted(found)
    ]


def _amount(lengths: Collection[str]) -> tuple[str, str]:
    """Return the number of utterances, and the hours of so many samples."""
    hours = sum(map(int, lengths)) / SAMPLE_RATE / 3600
    return str(len(lengths)), f"{hours:.2f}"


def _shown(path: Path) -> str:
    """Return a path from the recipe's folder; of one elsewhere what it ends in."""
    if path.absolute().is_relative_to(Path.cwd()):
        return str(path.absolute().relative_to(Path.cwd()))
    return "/".join(path.parts[-2:])


def _call_that_made(data: Path) -> str:
    marker = data / ".done"
    if not marker.exists():  # who has data in Kaldi's form may leave out the stage
        return f"# {_shown(data)} was made without stage data"
    return marker.read_text(encoding="utf-8").strip()


def _eval_results(corpus: str, task: str, pruned: System) -> list[EvalResult]:
    """Return the means over the seeds; their spread is in the table."""
    seeds = len(pruned.experiments)
    return [
        EvalResult(
            task_type=HUB_TASKS[task],
            task_name=f"{task.upper()} after fine-tuning",
            dataset_type=re.sub(r"[^a-z0-9]+", "-", corpus.lower()).strip("-"),
            dataset_name=corpus,
            dataset_split=test_set,
            metric_type=metric.hub_type,
            metric_name=f"{metric.name} %, mean of {seeds} seed{'s' * (seeds > 1)}",
            metric_value=round(statistics.fmean(scores[metric.name]), 1),
        )
        for test_set, scores in pruned.scores.items()
        for metric in METRICS[task]
    ]


def _html(title: str, body: str, directory: Path) -> str:
    """Return Markdown as one page of HTML that holds its figures."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(body)
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                figure = (directory / str(child.attrs["src"])).read_bytes()
                encoded = base64.b64encode(figure).decode("ascii")
                child.attrSet("src", f"data:image/png;base64,{encoded}")
    content = parser.renderer.render(tokens, parser.options, {})
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{content}</body>\n</html>\n"
    )
