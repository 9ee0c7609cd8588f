"""Downloads: whole, continued, verified. The server is a thread of the test."""

import hashlib
import http.server
import threading

import pytest

from pruneasr.data.download import download

CONTENT = bytes(range(256)) * 40


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT under names that differ in what the server can do."""

    protocol_version = "HTTP/1.1"
    close_connection = True

    ranges: list[str | None]

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.ranges.append(wanted)
        if self.path == "/chunks":  # as archives that are packed on the fly
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % len(CONTENT) + CONTENT[:5000])
            return
        if self.path == "/gone":
            self.send_error(404)
            return
        start = 0
        if wanted and self.path != "/no-ranges":
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(CONTENT):
            size = "*" if self.path == "/unknown-size" else len(CONTENT)
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            begins = 0 if self.path == "/other-part" else start
            end = len(CONTENT) - 1
            self.send_header("Content-Range", f"bytes {begins}-{end}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : 5000 if self.path == "/breaks" else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    Server.ranges = []
    with http.server.HTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_file_is_downloaded_once(server, tmp_path):
    path = download(f"{server}/file", tmp_path / "new" / "file")
    assert path.read_bytes() == CONTENT
    download(f"{server}/file", path)
    assert Server.ranges == [None]
    assert [item.name for item in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["file", "no-ranges"])
def test_a_broken_download_is_continued(server, tmp_path, name):
    path = tmp_path / "file"
    with pytest.raises(ValueError, match="run the command again"):
        download(f"{server}/breaks", path)
    assert not path.exists()
    download(f"{server}/{name}", path)
    assert path.read_bytes() == CONTENT
    assert Server.ranges == [None, "bytes=5000-"]


def test_a_broken_chunk_is_said_in_a_line(server, tmp_path):
    with pytest.raises(ValueError, match=r"IncompleteRead.*run the command again"):
        download(f"{server}/chunks", tmp_path / "file")


def test_killed_before_the_renaming(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    assert download(f"{server}/file", tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_does_not_know_the_size(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    with pytest.raises(ValueError, match="found: HTTP Error 416"):
        download(f"{server}/unknown-size", tmp_path / "file")


def test_another_part_than_the_missing_one_is_refused(server, tmp_path):
    part = tmp_path / "file.part"
    part.write_bytes(CONTENT[:5000])
    with pytest.raises(ValueError, match=r"bytes from 5000, found .*bytes 0-.*remove"):
        download(f"{server}/other-part", tmp_path / "file")
    assert part.read_bytes() == CONTENT[:5000]


def test_an_error_of_the_server_keeps_what_came(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:5000])
    with pytest.raises(ValueError, match="found: HTTP Error 404"):
        download(f"{server}/gone", tmp_path / "file")
    assert (tmp_path / "file.part").read_bytes() == CONTENT[:5000]


CHECKSUMS = {
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "md5": hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
    # git hash-object of a file with CONTENT
    "git": "c24b5240932db6bddd91a9aecd36e95ffb2e8f0e",
}


@pytest.mark.parametrize("kind", CHECKSUMS)
def test_checksum(tmp_path, kind):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    good = f"{kind}:{CHECKSUMS[kind]}"
    wrong = f"{kind}:{'0' * 32}"
    with pytest.raises(ValueError, match=f"expected {wrong}, found {good}"):
        download(source.as_uri(), tmp_path / "file", checksum=wrong)
    assert list(tmp_path.iterdir()) == [source]
    download(source.as_uri(), tmp_path / "file", checksum=good)
    assert (tmp_path / "file").read_bytes() == CONTENT
    with pytest.raises(ValueError, match="download the file anew"):
        download(source.as_uri(), tmp_path / "file", checksum=wrong)
    assert (tmp_path / "file").exists()


def test_without_a_checksum_the_one_found_is_said(tmp_path, capsys):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    path = download(source.as_uri(), tmp_path / "file")
    said = f"{path}: sha256:{CHECKSUMS['sha256']}; no checksum was given to compare\n"
    assert capsys.readouterr().out == said
    download(source.as_uri(), path)  # is there
    assert capsys.readouterr().out == ""


def test_other_kinds_of_checksums_are_refused_before_the_download(tmp_path):
    with pytest.raises(ValueError, match=r"KIND one of .*'md5'.* found 'crc:1'"):
        download("file:///nowhere", tmp_path / "file", checksum="crc:1")


def test_a_part_of_a_longer_file_is_given_up(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT + b"more")
    with pytest.raises(ValueError, match=f"expected {len(CONTENT)} bytes"):
        download(f"{server}/file", tmp_path / "file")
    assert download(f"{server}/file", tmp_path / "file").read_bytes() == CONTENT


def test_other_schemes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="found 'ftp'"):
        download("ftp://host/file", tmp_path / "file")
