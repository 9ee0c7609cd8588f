"""Download the parts of SLURP that are not there: annotations and real recordings."""

import argparse
from pathlib import Path

from slurp_layout import audio_folder, text_folder

from pruneasr.data.archive import unpack
from pruneasr.data.download import download
from pruneasr.errors import in_a_line


def provide_audio(folder: Path, url: str, sha256: str | None) -> None:
    """Download and unpack slurp_real/, unless it is there and was not left half made.

    Raises:
        ValueError: as download and unpack do.
    """
    archive, begun = folder / "slurp_real.tar.gz", folder / ".slurp_real.begun"
    if (folder / "slurp_real").is_dir() and not begun.exists():
        return
    begun.touch()
    download(url, archive, sha256=sha256)
    unpack(archive, folder)
    archive.unlink()
    begun.unlink()


@in_a_line
def main() -> None:
    """Read the options and provide text and audio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="SLURP, or an empty folder")
    parser.add_argument("--text-url", required=True, help="folder of the annotations")
    parser.add_argument("--audio-url", required=True, help="slurp_real.tar.gz")
    parser.add_argument("--audio-sha256", help="refuse another archive")
    args = parser.parse_args()
    for name in ("train", "devel", "test"):
        path = text_folder(args.folder) / f"{name}.jsonl"
        download(f"{args.text_url}/{path.name}", path)
    provide_audio(audio_folder(args.folder), args.audio_url, args.audio_sha256)


if __name__ == "__main__":
    main()
