"""Download AN4 from its public home and turn it into FLAC with a manifest.tsv.

The archive holds SPHERE files and two lists of transcripts. It is read once, in the
order of its members, and never unpacked. manifest.tsv is written last: where it stands,
the folder is whole.
"""

import re
from pathlib import Path, PurePosixPath

from pruneasr.data.archive import members, run, write_as_flac
from pruneasr.data.manifest import ManifestRow, write_manifest
from pruneasr.files import write_atomic

SPLIT_OF_FOLDER = {"an4_clstk": "train", "an4test_clstk": "test"}
TRANSCRIPTIONS = {"an4_train.transcription": "train", "an4_test.transcription": "test"}
LEXICON = "an4.dic"  # what egs/superb says words in phones by

# "<s> YES </s> (an254-fash-b)" in the training list, no marks in the test list.
TRANSCRIPTION = re.compile(r"(?:<s> )?(?P<text>.*?)(?: </s>)? \((?P<name>\S+)\)")


def convert(archive: Path, folder: Path) -> None:
    """Write audio/{train,test}/*.flac, the lexicon and manifest.tsv from the archive.

    Raises:
        ValueError: The archive is damaged, or its audio and its transcripts do not
            belong to each other.
    """
    audio: dict[str, tuple[Path, float, str]] = {}
    texts: dict[str, tuple[str, str]] = {}
    with members(archive) as files:
        for member, stream in files:
            path = PurePosixPath(member.name)
            if path.name in TRANSCRIPTIONS:
                split = TRANSCRIPTIONS[path.name]
                texts |= read_transcription(stream.read().decode("ascii"), split)
            elif path.name == LEXICON:
                (folder / "etc").mkdir(parents=True, exist_ok=True)
                write_atomic(folder / "etc" / LEXICON, stream.read().decode("ascii"))
            elif path.suffix == ".sph":
                split = SPLIT_OF_FOLDER[path.parts[-3]]
                target = folder / "audio" / split / f"{path.stem}.flac"
                audio[path.stem] = target, write_as_flac(stream, target), split
    write_manifest(folder, join(audio, texts, folder))


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


if __name__ == "__main__":
    run(convert, "an4_sphere.tar.gz", __doc__)
