"""Download one file, continue a broken download, and verify what came.

This file knows nothing of corpora.
"""

import functools
import hashlib
import http.client
import shutil
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from pathlib import Path

TIMEOUT_SECONDS = 60
"""Seconds of silence after which a server counts as gone."""


KINDS = ("sha256", "md5", "git")
"""Kinds of checksums. Zenodo publishes MD5; ``git`` is the name that Git gives to a
file's content, which any clone of its repository can tell: ``git ls-tree COMMIT``."""


def download(url: str, path: Path, *, checksum: str | None = None) -> Path:
    """Download a file unless it is there already; verify it in both cases.

    The bytes gather in ``<name>.part``; a later call asks the server for the rest only.
    The file gets its name when its size is the one the server announced and, if given,
    its checksum is right. Where none is given, the SHA-256 of what came is printed.

    Args:
        url: http, https or file.
        path: Where the file shall be.
        checksum: Expected ``sha256:HEX``, ``md5:HEX`` or ``git:HEX``.

    Returns:
        ``path``.

    Raises:
        ValueError: Another scheme or kind of checksum, the server cannot be reached,
            broke off or sent another part than the missing one, or the checksum is
            wrong.
    """
    if checksum is not None and checksum.partition(":")[0] not in KINDS:
        raise ValueError(
            f"expected a checksum KIND:HEX, KIND one of {KINDS}, found {checksum!r}"
        )
    if path.exists():
        _verify(path, checksum)
        return path
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme not in ("http", "https", "file"):
        raise ValueError(f"{url}: expected http, https or file, found {scheme!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        expected_bytes = _receive(url, part)
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(
            f"{url}: expected a download to {path}, found: {error}; run the command "
            "again to continue it, or download the file yourself and put it there"
        ) from error
    found_bytes = part.stat().st_size
    if expected_bytes is not None and found_bytes != expected_bytes:
        if found_bytes > expected_bytes:  # another file than the one that was begun
            part.unlink()
        raise ValueError(
            f"{url}: expected {expected_bytes} bytes, found {found_bytes}; run the "
            "command again to fetch the rest"
        )
    try:
        _verify(part, checksum)
    except ValueError:
        part.unlink()  # or every later call would find it whole and wrong
        raise
    part.replace(path)
    if checksum is None:
        print(f"{path}: {_digest(path, 'sha256')}; no checksum was given to compare")
    return path


def _receive(url: str, part: Path) -> int | None:
    """Append what is missing to ``part``; return the announced size of the whole."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 scheme checked
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 scheme checked
            # A server that ignores Range sends the whole file again.
            continues = response.status == HTTPStatus.PARTIAL_CONTENT
            sent = response.headers.get("Content-Range", "none")
            if continues and not sent.startswith(f"bytes {have}-"):
                raise ValueError(
                    f"{url}: expected the bytes from {have}, found Content-Range "
                    f"{sent}; remove {part} and run the command again"
                )
            length = response.headers.get("Content-Length")
            with part.open("ab" if continues else "wb") as stream:
                shutil.copyfileobj(response, stream)
    except urllib.error.HTTPError as error:
        size = error.headers.get("Content-Range", "").rpartition("/")[2]
        unsatisfiable = error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        if unsatisfiable and size.isdecimal():  # "*": the server does not know
            # Killed between the last byte and the renaming: "bytes */<size>".
            return int(size)
        raise
    if length is None:
        return None
    return int(length) + (have if continues else 0)


def _verify(path: Path, checksum: str | None) -> None:
    if checksum is None:
        return
    found = _digest(path, checksum.partition(":")[0])
    if found != checksum.lower():
        raise ValueError(
            f"{path}: expected {checksum}, found {found}; download the file anew"
        )


def _digest(path: Path, kind: str) -> str:
    if kind == "git":  # a header precedes the content
        header = b"blob %d\0" % path.stat().st_size
        start = functools.partial(hashlib.sha1, header, usedforsecurity=False)
    else:
        start = functools.partial(hashlib.new, kind, usedforsecurity=False)
    with path.open("rb") as stream:
        return f"{kind}:{hashlib.file_digest(stream, start).hexdigest()}"
