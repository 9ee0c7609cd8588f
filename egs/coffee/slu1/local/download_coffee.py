"""Download the Speech-to-Intent Benchmark and write the manifest.tsv of its orders.

Picovoice, 2019, Apache License 2.0: orders of coffee by more than 50 speakers, whom
nobody tells apart. The archive is read once, in the order of its members, and never
unpacked; of audio only the clean recordings are kept. manifest.tsv is written last:
where it stands, the folder is whole.
"""

import argparse
import io
import json
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import soundfile

from pruneasr.data.download import download
from pruneasr.data.manifest import ManifestRow, write_manifest
from pruneasr.data.waveform import write_flac

AUDIO, LABELS = "data/speech/clean", "data/label/label.json"


def convert(archive: Path, folder: Path) -> None:
    """Write audio/*.flac and manifest.tsv from the archive.

    Raises:
        ValueError: The archive is damaged, or a recording has no label.
    """
    seconds: dict[str, float] = {}
    labels: dict[str, dict[str, Any]] = {}
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                # the first part of a path is the name of the archive
                path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
                stream = members.extractfile(member)
                if stream is None:
                    continue
                if str(path) == LABELS:
                    labels = json.loads(stream.read())
                elif str(path.parent) == AUDIO and path.suffix == ".wav":
                    seconds[path.stem] = convert_audio(path, stream.read(), folder)
    except (tarfile.TarError, EOFError, zlib.error, soundfile.SoundFileError) as error:
        raise ValueError(
            f"{archive}: expected a whole archive, found: {error}; remove the file and "
            "run the command again"
        ) from error
    write_manifest(folder, rows_of(seconds, labels))


def convert_audio(path: PurePosixPath, content: bytes, folder: Path) -> float:
    """Write one recording as FLAC and return its seconds."""
    target = folder / "audio" / f"{path.stem}.flac"
    samples, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    if not target.exists():
        write_flac(target, samples, rate)
    return float(len(samples) / rate)


def rows_of(
    seconds: dict[str, float], labels: dict[str, dict[str, Any]]
) -> list[ManifestRow]:
    """Put recordings and labels together; a label without a recording is left out.

    Raises:
        ValueError: There are no recordings, or one has no label.
    """
    named = {Path(name).stem: label for name, label in labels.items()}
    alone = sorted(set(seconds) - set(named))
    if alone or not seconds:
        raise ValueError(
            f"expected recordings in {AUDIO}, each with a label in {LABELS}; found "
            f"{len(seconds)}, without a label: {alone[:5]}"
        )
    rows = []
    for name in sorted(seconds):
        label = {"intent": named[name]["intent"], **named[name]["slots"]}
        path = f"audio/{name}.flac"
        duration = f"{seconds[name]:.3f}"
        rows.append(ManifestRow(path, duration, "", "", json.dumps(label), "all"))
    return rows


def main() -> None:
    """Read the options, download and convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="receives audio/ and manifest.tsv")
    parser.add_argument("--url", required=True, help="where the archive lies")
    parser.add_argument("--sha256", help="refuse an archive with another checksum")
    args = parser.parse_args()
    try:
        archive = download(args.url, args.folder / "coffee.tar.gz", sha256=args.sha256)
        convert(archive, args.folder)
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
