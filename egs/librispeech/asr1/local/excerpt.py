"""Lay a small corpus out as LibriSpeech: its folders of parts, speakers and chapters.

For trying all stages on some hours, such as those of Mini LibriSpeech. Each speaker
goes to one part whole: the last four to the parts for development and test, of the
others a quarter to each of the first two training parts.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import soundfile

from pruneasr.data.manifest import ManifestRow, read_manifest

HELD_OUT = ("dev-clean", "dev-other", "test-clean", "test-other")
TRAINING = ("train-clean-100", "train-clean-360", "train-other-500", "train-other-500")


def assign(speakers: list[str]) -> dict[str, str]:
    """Return the part of every speaker.

    Raises:
        ValueError: There are not enough speakers for all parts.
    """
    least = len(HELD_OUT) + len(TRAINING)
    if len(speakers) < least:
        raise ValueError(
            f"expected at least {least} speakers, so that every part has one; found "
            f"{len(speakers)}"
        )
    training, held_out = speakers[: -len(HELD_OUT)], speakers[-len(HELD_OUT) :]
    parts = dict(zip(held_out, HELD_OUT, strict=True))
    return parts | {s: TRAINING[i % len(TRAINING)] for i, s in enumerate(training)}


def write_speaker(folder: Path, rows: list[ManifestRow], corpus: Path) -> None:
    """Write the recordings and transcripts of one speaker as one chapter."""
    chapter = folder / rows[0].speaker / "0"
    chapter.mkdir(parents=True, exist_ok=True)
    lines = []
    for i, row in enumerate(rows):
        name = f"{row.speaker}-0-{i:04d}"
        samples, rate = soundfile.read(corpus / row.path, dtype="int16")
        soundfile.write(chapter / f"{name}.flac", samples, rate)
        lines.append(f"{name} {row.text}\n")
    (chapter / f"{row.speaker}-0.trans.txt").write_text("".join(lines))


def main(argv: list[str] | None = None) -> None:
    """Read the options and write the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder with manifest.tsv and audio")
    parser.add_argument("output", type=Path, help="receives train-clean-100 and so on")
    args = parser.parse_args(argv)
    speakers: dict[str, list[ManifestRow]] = defaultdict(list)
    for row in read_manifest(args.corpus):
        speakers[row.speaker].append(row)
    for speaker, part in assign(sorted(speakers)).items():
        write_speaker(args.output / part, speakers[speaker], args.corpus)


if __name__ == "__main__":
    main()
