"""The sets of a corpus, written, looked at and reported."""

from collections.abc import Sequence
from pathlib import Path

from pruneasr import SAMPLE_RATE
from pruneasr.data.audio import check_audio
from pruneasr.data.datadir import Utterance, combine_without_text, write_data_dir
from pruneasr.data.pieces import cut_folder


def write_checked(directory: Path, utterances: Sequence[Utterance]) -> None:
    """Write a data directory, look at all its audio and say what it holds."""
    write_data_dir(directory, utterances)
    lengths = check_audio(directory)
    hours = sum(lengths.values()) / SAMPLE_RATE / 3600
    speakers = len({item.speaker for item in utterances})
    print(f"{directory}: {len(lengths)} utterances, {hours:.2f} h, {speakers} speakers")


def write_pretrain(
    data: Path,
    train: Sequence[Utterance],
    extra_audio: Path | None,
    max_seconds: float,
) -> None:
    """Write data/pretrain: what the teacher and the distillation listen to.

    Args:
        data: Folder of the data directories.
        train: The corpus's own training audio.
        extra_audio: Folder with more, any names; it is cut into pieces.
        max_seconds: Longest piece.
    """
    extra: list[Utterance] = []
    if extra_audio is not None:
        target = data / "audio_extra" / extra_audio.name
        extra = cut_folder(extra_audio, target, max_seconds=max_seconds)
    write_checked(data / "pretrain", combine_without_text([train, extra]))
