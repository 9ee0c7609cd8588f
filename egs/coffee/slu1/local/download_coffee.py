"""Download the Speech-to-Intent Benchmark and write the manifest.tsv of its orders.

Picovoice, 2019, Apache License 2.0: orders of coffee by more than 50 speakers, whom
nobody tells apart. The archive is read once, in the order of its members, and never
unpacked; of audio only the clean recordings are kept. manifest.tsv is written last:
where it stands, the folder is whole.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from pruneasr.data.archive import members, run, write_as_flac
from pruneasr.data.manifest import ManifestRow, write_manifest

AUDIO, LABELS = "data/speech/clean", "data/label/label.json"
# Labels of the corpus as published that have no recording
UNRECORDED = frozenset(
    {
        "1a5e796d-2046-4a34-a01d-a906d09a0847",
        "2c20cd54-ada9-403e-94fb-01816f6b2c57",
        "81774d8e-7da7-4e9b-8cc3-33015b0ae0aa",
        "99d5b4d7-83f6-4557-b3c4-0d824405f2aa",
        "a32a3840-79b3-4dd5-982d-fd2e5a5f0d16",
        "f77914b1-0738-4a70-88ad-103910ec79cf",
    }
)


def convert(archive: Path, folder: Path) -> None:
    """Write audio/*.flac and manifest.tsv from the archive.

    Raises:
        ValueError: The archive is damaged, or recordings and labels do not match.
    """
    seconds: dict[str, float] = {}
    labels: dict[str, dict[str, Any]] = {}
    with members(archive) as files:
        for member, stream in files:
            # the first part of a path is the name of the archive
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if str(path) == LABELS:
                labels = json.loads(stream.read())
            elif str(path.parent) == AUDIO and path.suffix == ".wav":
                target = folder / "audio" / f"{path.stem}.flac"
                seconds[path.stem] = write_as_flac(stream, target)
    write_manifest(folder, rows_of(seconds, labels))


def rows_of(
    seconds: dict[str, float], labels: dict[str, dict[str, Any]]
) -> list[ManifestRow]:
    """Put recordings and labels together; those of UNRECORDED are left out.

    Raises:
        ValueError: There are no recordings, or one has what the other lacks.
    """
    named = {Path(name).stem: label for name, label in labels.items()}
    for name in UNRECORDED - set(seconds):
        named.pop(name, None)
    alone = sorted(set(seconds) ^ set(named))
    if alone or not seconds:
        raise ValueError(
            f"expected as many recordings in {AUDIO} as labels in {LABELS}; found "
            f"{len(seconds)} and {len(named)}, without the other: {alone[:5]}; the "
            "copy is not whole"
        )
    rows = []
    for name in sorted(seconds):
        label = {"intent": named[name]["intent"], **named[name]["slots"]}
        path = f"audio/{name}.flac"
        duration = f"{seconds[name]:.3f}"
        rows.append(ManifestRow(path, duration, "", "", json.dumps(label), "all"))
    return rows


if __name__ == "__main__":
    run(convert, "coffee.tar.gz", __doc__)
