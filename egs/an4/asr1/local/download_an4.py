"""Download AN4 from its public home and turn it into FLAC with a manifest.tsv.

The archive holds SPHERE files and two lists of transcripts. It is read once, in the
order of its members, and never unpacked. manifest.tsv is written last: where it stands,
the folder is whole.
"""

import argparse
import io
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath

import soundfile

from pruneasr.data.download import download
from pruneasr.data.manifest import ManifestRow, write_manifest
from pruneasr.data.waveform import write_flac

SPLIT_OF_FOLDER = {"an4_clstk": "train", "an4test_clstk": "test"}
TRANSCRIPTIONS = {"an4_train.transcription": "train", "an4_test.transcription": "test"}

# "<s> YES </s> (an254-fash-b)" in the training list, no marks in the test list.
TRANSCRIPTION = re.compile(r"(?:<s> )?(?P<text>.*?)(?: </s>)? \((?P<name>\S+)\)")


def convert(archive: Path, folder: Path) -> None:
    """Write audio/{train,test}/*.flac and manifest.tsv from the archive.

    Raises:
        ValueError: The archive is damaged, or its audio and its transcripts do not
            belong to each other.
    """
    audio: dict[str, tuple[Path, float, str]] = {}
    texts: dict[str, tuple[str, str]] = {}
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                path = PurePosixPath(member.name)
                stream = members.extractfile(member)
                if stream is None:
                    continue
                if path.name in TRANSCRIPTIONS:
                    split = TRANSCRIPTIONS[path.name]
                    texts |= read_transcription(stream.read().decode("ascii"), split)
                elif path.suffix == ".sph":
                    audio[path.stem] = convert_audio(path, stream.read(), folder)
    except (tarfile.TarError, EOFError, zlib.error, soundfile.SoundFileError) as error:
        raise ValueError(
            f"{archive}: expected a whole an4_sphere.tar.gz, found: {error}; remove "
            "the file and run the command again"
        ) from error
    write_manifest(folder, join(audio, texts, folder))


def convert_audio(
    path: PurePosixPath, content: bytes, folder: Path
) -> tuple[Path, float, str]:
    """Write one SPHERE file as FLAC; return its path, its seconds and its split."""
    split = SPLIT_OF_FOLDER[path.parts[-3]]
    target = folder / "audio" / split / f"{path.stem}.flac"
    samples, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_flac(target, samples, rate)
    return target, len(samples) / rate, split


def read_transcription(content: str, split: str) -> dict[str, tuple[str, str]]:
    """Read one list of transcripts: file name to transcript and split.

    Raises:
        ValueError: A line has another form.
    """
    texts = {}
    for line in filter(None, map(str.strip, content.splitlines())):
        match = TRANSCRIPTION.fullmatch(line)
        if match is None:
            raise ValueError(f"expected `<s> TEXT </s> (file-name)`, found {line!r}")
        texts[match["name"]] = (match["text"].strip(), split)
    return texts


def join(
    audio: dict[str, tuple[Path, float, str]],
    texts: dict[str, tuple[str, str]],
    folder: Path,
) -> list[ManifestRow]:
    """Put audio and transcripts of the same name into one row.

    Raises:
        ValueError: One has what the other lacks, or they disagree about the split.
    """
    alone = sorted(set(audio) ^ set(texts))
    if alone:
        raise ValueError(
            f"expected a transcript for each recording, found {len(alone)} names "
            f"without the other, {alone[0]} among them"
        )
    rows = []
    for name in sorted(audio):
        path, seconds, split = audio[name]
        text, split_of_text = texts[name]
        if split != split_of_text:
            raise ValueError(f"{name}: audio is of {split}, text of {split_of_text}")
        speaker = name.split("-")[1]
        relative = str(path.relative_to(folder))
        rows.append(ManifestRow(relative, f"{seconds:.3f}", speaker, text, "", split))
    return rows


def main() -> None:
    """Read the options, download and convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="receives audio/ and manifest.tsv")
    parser.add_argument("--url", required=True, help="where an4_sphere.tar.gz lies")
    parser.add_argument("--sha256", help="refuse an archive with another checksum")
    args = parser.parse_args()
    try:
        archive = download(
            args.url, args.folder / "an4_sphere.tar.gz", sha256=args.sha256
        )
        convert(archive, args.folder)
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
