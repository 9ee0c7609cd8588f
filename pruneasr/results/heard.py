"""The audio that the trainings heard: how much, out of which folders, made by what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pruneasr import SAMPLE_RATE
from pruneasr.data.datadir import read_table
from pruneasr.markdown import markdown_table
from pruneasr.results.lineage import training_config

# Rows of the folders of one set's audio; a corpus with a folder for every speaker is
# told by the folder above them
MAX_FOLDERS = 10


def audio_section(title: str, trainings: Sequence[Path]) -> str:
    """Return what every training heard, by its own configuration.

    The title names the corpus as it is by default. Options of local/data.sh may have
    put synthetic speech in its place, so the marker of stage data is shown too, and
    variables may name more corpora, so the folders of the audio are.
    """
    rows, calls = [], set()
    heard: dict[Path, list[list[str]]] = {}
    for training in trainings:
        entries = training_config(training)["train_data_path_and_name_and_type"]
        for path in (Path(entry[0]) for entry in entries if entry[1] == "speech"):
            data = path.parent
            calls.add(_call_that_made(data.parent))
            lengths = read_table(data / "utt2num_samples")
            rows.append([training.name, shown(data), *_amount(lengths.values())])
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
        [shown(data), shown(folder), *_amount(found[folder])]
        for folder in sorted(found)
    ]


def _amount(lengths: Collection[str]) -> tuple[str, str]:
    """Return the number of utterances, and the hours of so many samples."""
    hours = sum(map(int, lengths)) / SAMPLE_RATE / 3600
    return str(len(lengths)), f"{hours:.2f}"


def shown(path: Path) -> str:
    """Return a path from the recipe's folder; of one elsewhere what it ends in."""
    if path.absolute().is_relative_to(Path.cwd()):
        return str(path.absolute().relative_to(Path.cwd()))
    return "/".join(path.parts[-2:])


def _call_that_made(data: Path) -> str:
    marker = data / ".done"
    if not marker.exists():  # who has data in Kaldi's form may leave out the stage
        return f"# {shown(data)} was made without stage data"
    return marker.read_text(encoding="utf-8").strip()
