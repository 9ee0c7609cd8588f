"""Download the parts of LibriSpeech that are not there, and unpack them.

A part that is being made has a mark, ``.<part>.begun``, until it is whole; then its
archive is removed. A folder without the mark is taken as it is.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from parts import PARTS

from pruneasr.data.archive import unpack
from pruneasr.data.download import download
from pruneasr.errors import in_a_line


def provide(part: str, folder: Path, url: str, check_sums: bool) -> str:
    """Download and unpack one part unless it is there; return what was done."""
    archive, begun = folder / f"{part}.tar.gz", folder / f".{part}.begun"
    if (folder / part).is_dir() and not begun.exists():
        return f"{folder / part}: is there"
    begun.touch()
    checksum = f"sha256:{PARTS[part].sha256}" if check_sums else None
    download(f"{url}/{archive.name}", archive, checksum=checksum)
    # LibriSpeech/<part>/...; what lies above is in every archive
    unpack(archive, folder / part, skip_parts=2)
    begun.unlink()  # first: a kill here leaves an archive, not a second download
    archive.unlink()
    return f"{folder / part}: downloaded"


@in_a_line
def main() -> None:
    """Read the options and provide all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds or receives the parts")
    parser.add_argument("--url", required=True, help="folder of the archives")
    parser.add_argument("--check-sums", choices=("true", "false"), default="true")
    parser.add_argument("--num-jobs", type=int, default=3)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    check_sums = args.check_sums == "true"
    with ThreadPoolExecutor(args.num_jobs) as pool:
        for line in pool.map(
            lambda part: provide(part, args.folder, args.url, check_sums), PARTS
        ):
            print(line)


if __name__ == "__main__":
    main()
