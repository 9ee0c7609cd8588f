"""Download the parts of SLURP that are not there: annotations and real recordings."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from slurp_layout import audio_folder, text_folder

from pruneasr.data.archive import unpack
from pruneasr.data.download import download
from pruneasr.errors import in_a_line


def provide_text(folder: Path, url: str, checksums: Sequence[str | None]) -> None:
    """Download train.jsonl, devel.jsonl and test.jsonl, as far as they are not there.

    What is there is the user's, who may have changed it; it is held against nothing.

    Raises:
        ValueError: as download does.
    """
    for name, checksum in zip(("train", "devel", "test"), checksums, strict=True):
        path = folder / f"{name}.jsonl"
        if not path.exists():
            download(f"{url}/{path.name}", path, checksum=checksum)


def provide_audio(folder: Path, url: str, checksum: str | None) -> None:
    """Download and unpack slurp_real/, unless it is there and was not left half made.

    Raises:
        ValueError: as download and unpack do.
    """
    archive, begun = folder / "slurp_real.tar.gz", folder / ".slurp_real.begun"
    if (folder / "slurp_real").is_dir() and not begun.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    begun.touch()
    download(url, archive, checksum=checksum)
    unpack(archive, folder)
    begun.unlink()
    archive.unlink()


@in_a_line
def main() -> None:
    """Read the options and provide text and audio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="SLURP, or an empty folder")
    parser.add_argument("--text-url", required=True, help="folder of the annotations")
    parser.add_argument("--audio-url", required=True, help="slurp_real.tar.gz")
    parser.add_argument(
        "--text-checksums",
        nargs=3,
        default=(None, None, None),
        help="KIND:HEX of train, devel and test; refuse others",
    )
    parser.add_argument("--audio-checksum", help="KIND:HEX; refuse another archive")
    args = parser.parse_args()
    provide_text(text_folder(args.folder), args.text_url, args.text_checksums)
    provide_audio(audio_folder(args.folder), args.audio_url, args.audio_checksum)


if __name__ == "__main__":
    main()
