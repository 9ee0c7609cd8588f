"""Read gzipped tar files in the order of their members, and unpack them.

This file knows nothing of corpora.
"""

import argparse
import contextlib
import gzip
import io
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Self

import soundfile

from pruneasr.data.download import download
from pruneasr.data.waveform import write_flac
from pruneasr.errors import in_a_line
from pruneasr.files import whole

Member = tuple[tarfile.TarInfo, IO[bytes]]
_DAMAGES = (
    tarfile.TarError,
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    soundfile.SoundFileError,
)
CHUNK = 2**20
"""Bytes read at once of what follows the last member."""


class _Header(tarfile.TarInfo):
    """A header that must be whole, or a block of zeros: the end of the archive.

    tarfile takes a damaged header, and the end of the file, for that end.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # typeshed lacks it
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error} before the end of archive") from error


@contextlib.contextmanager
def members(archive: Path) -> Iterator[Iterator[Member]]:
    """Open a ``.tar.gz``: the files in it and their content, in their order.

    Raises:
        ValueError: The archive, or audio that is read from it, is damaged.
    """
    try:
        # not "r|gz", which checks no CRC
        with (
            gzip.open(archive) as content,
            tarfile.open(fileobj=content, mode="r|", tarinfo=_Header) as opened,
        ):
            yield _files(opened, content)
    except _DAMAGES as error:
        raise ValueError(
            f"{archive}: expected a whole archive, found: {error}; remove the file and "
            "run the command again"
        ) from error


def _files(opened: tarfile.TarFile, content: gzip.GzipFile) -> Iterator[Member]:
    for member in opened:
        stream = opened.extractfile(member)
        if stream is not None:
            yield member, stream
    while content.read(CHUNK):  # at its end gzip checks the CRC
        pass


def unpack(archive: Path, folder: Path, *, skip_parts: int = 0) -> None:
    """Unpack a ``.tar.gz``; what an earlier call unpacked whole is kept.

    Args:
        archive: The file.
        folder: Receives the files in it.
        skip_parts: Leading parts of the names in the archive that are left out.

    Raises:
        ValueError: The archive is damaged, or a name in it leads out of the folder.
    """
    with members(archive) as files:
        for member, stream in files:
            parts = PurePosixPath(member.name).parts[skip_parts:]
            if not parts:
                continue
            if ".." in parts or PurePosixPath(*parts).is_absolute():
                raise ValueError(f"{archive}: {member.name} leads out of {folder}")
            _write(folder.joinpath(*parts), stream, member.size)


def write_as_flac(content: IO[bytes], target: Path) -> float:
    """Write a recording as FLAC, unless it is there, and return its seconds.

    Args:
        content: Audio in any format of libsndfile, 16 bits.
        target: The file to write.

    Raises:
        soundfile.SoundFileError: It is no audio, or broken off.
    """
    samples, rate = soundfile.read(io.BytesIO(content.read()), dtype="int16")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_flac(target, samples, rate)
    return float(len(samples) / rate)


@in_a_line
def run(
    convert: Callable[[Path, Path], None], name: str, description: str | None
) -> None:
    """Run the command line of a recipe that downloads one archive and converts it.

    Args:
        convert: Writes a corpus from an archive into a folder.
        name: Of the archive.
        description: Of the command.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=Path, help="receives audio/ and manifest.tsv")
    parser.add_argument("--url", required=True, help=f"where {name} lies")
    parser.add_argument(
        "--checksum", help="KIND:HEX (sha256, md5); refuse an archive with another"
    )
    args = parser.parse_args()
    archive = download(args.url, args.folder / name, checksum=args.checksum)
    convert(archive, args.folder)


def _write(path: Path, stream: IO[bytes], size: int) -> None:
    if path.exists() and path.stat().st_size == size:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial, partial.open("wb") as output:
        shutil.copyfileobj(stream, output)
