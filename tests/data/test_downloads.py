"""Downloads against a real server on loopback: whole, resumed, broken, corrupt, absent."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import liescope.data.corpora.download as download
import liescope.data.corpora.fetched as fetched
import liescope.data.corpora.galaxy10 as galaxy10
from liescope.data import load_corpus, make_pairs
from liescope.data.corpora.download import RemoteFile, fetch
from liescope.errors import InputError


class Shelf(ThreadingHTTPServer):
    """Serves ``files``; ``cuts`` lists after how many bytes the next answers break off."""

    files: dict[str, bytes]
    cuts: list[int]
    ranges: bool
    requests: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Shelf

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.requests.append(wanted)
        data = self.server.files.get(self.path.lstrip("/"))
        if data is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.ranges else 0
        if start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if self.path.endswith(".gz"):
            self.send_header("Content-Encoding", "gzip")  # as careless servers do
        self.end_headers()
        end = start + self.server.cuts.pop(0) if self.server.cuts else len(data)
        self.wfile.write(data[start:end])

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    # A certificate would be all that is gained on loopback.
    monkeypatch.setattr(download, "SCHEMES", ("https", "http"))
    server = Shelf(("127.0.0.1", 0), Handler)
    server.files, server.cuts, server.ranges, server.requests = {}, [], True, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


DATA = np.random.default_rng(0).bytes(700_000)


def remote(shelf: Shelf, name: str = "data.bin", data: bytes = DATA) -> RemoteFile:
    shelf.files[name] = data
    return RemoteFile(name, (f"{shelf.url}/{name}",), f"sha256:{hashlib.sha256(data).hexdigest()}")


def test_download_once_then_use_the_local_copy(shelf: Shelf, tmp_path: Path) -> None:
    file, seen = remote(shelf), []
    path = fetch(file, tmp_path / "corpus", progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == DATA
    assert seen[-1] == (700_000, 700_000)
    assert fetch(file, tmp_path / "corpus") == path
    assert len(shelf.requests) == 1
    assert [f.name for f in path.parent.iterdir()] == ["data.bin"]


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_downloads_resume(shelf: Shelf, tmp_path: Path, ranges: bool) -> None:
    file = remote(shelf)
    shelf.cuts, shelf.ranges = [300_000, 100_000], ranges
    assert fetch(file, tmp_path).read_bytes() == DATA
    resumed = [r for r in shelf.requests if r]
    assert len(shelf.requests) == 3
    assert len(resumed) == 2
    assert all(0 < int(r[6:-1]) <= 400_000 for r in resumed)


def test_a_later_run_resumes(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = remote(shelf)
    shelf.cuts = [100_000]
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    with pytest.raises(InputError, match="put the file by hand at"):
        fetch(file, tmp_path)
    kept = (tmp_path / "data.bin.part").stat().st_size
    assert 0 < kept <= 100_000
    assert fetch(file, tmp_path).read_bytes() == DATA
    assert shelf.requests[-1] == f"bytes={kept}-"


@pytest.mark.parametrize("there", [0, 1, 2])
def test_a_failed_download_leaves_no_empty_folders(shelf: Shelf, tmp_path: Path, there: int) -> None:
    file = remote(shelf)
    folders = [tmp_path / "cache", tmp_path / "cache" / "liescope", tmp_path / "cache" / "liescope" / "corpus"]
    for folder in folders[:there]:
        folder.mkdir()
    del shelf.files["data.bin"]
    with pytest.raises(InputError, match="got no connection"):
        fetch(file, folders[-1])
    assert sorted(tmp_path.rglob("*")) == folders[:there]
    shelf.files["data.bin"] = DATA[:-1]
    with pytest.raises(InputError, match="it was removed, try again"):
        fetch(file, folders[-1])
    assert sorted(tmp_path.rglob("*")) == folders[:there]


def test_a_failed_download_leaves_what_was_there(shelf: Shelf, tmp_path: Path) -> None:
    file = remote(shelf)
    (tmp_path / "corpus").mkdir()
    del shelf.files["data.bin"]
    with pytest.raises(InputError, match="got no connection"):
        fetch(file, tmp_path / "corpus")
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus"]


def test_corrupt_download_is_removed_and_both_sums_named(shelf: Shelf, tmp_path: Path) -> None:
    file = remote(shelf)
    shelf.files["data.bin"] = DATA[:-1] + b"x"
    found = hashlib.sha256(shelf.files["data.bin"]).hexdigest()
    with pytest.raises(InputError, match=f"expected sha256 {file.checksum[7:]} of data.bin, got {found}"):
        fetch(file, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_wrong_local_file_is_left_alone(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"mine")
    with pytest.raises(InputError, match="to fetch it again"):
        fetch(remote(shelf), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"mine"
    assert shelf.requests == []


def test_second_address_helps(shelf: Shelf, tmp_path: Path) -> None:
    file = remote(shelf)
    file = replace(file, urls=(f"{shelf.url}/gone.bin", *file.urls))
    assert fetch(file, tmp_path).read_bytes() == DATA


def test_nothing_is_fetched_without_encryption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from such an address nor from one that leads to it."""

    class Answer:
        url = "http://elsewhere.example/data.bin"

        def __enter__(self) -> Answer:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr("requests.get", lambda *_, **__: Answer())
    for url in ("http://example.com/data.bin", "https://example.com/data.bin", "file:///etc/passwd"):
        with pytest.raises(InputError, match="expected an address that begins with https://"):
            fetch(RemoteFile("data.bin", (url,), "sha256:0"), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_offline_error_says_which_file_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    monkeypatch.setattr(download, "SCHEMES", ("http",))
    unused = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = unused.server_address[1]
    unused.server_close()  # nobody listens there now
    file = RemoteFile("data.bin", (f"http://127.0.0.1:{port}/data.bin",), "md5:0")
    with pytest.raises(InputError) as caught:
        fetch(file, tmp_path / "corpus")
    assert str(tmp_path / "corpus" / "data.bin") in str(caught.value)
    assert "ConnectionError" in str(caught.value)
    assert "\n" not in str(caught.value)


def idx(array: np.ndarray) -> bytes:
    """The idx format, packed by hand."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes())


def test_idx_corpora_end_to_end(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Any) -> None:
    chosen = {"train": slice(0, None, 100), "test": slice(7, None, 500)}
    files = {}
    for part, rows in chosen.items():
        stack, labels = digits.images[rows], digits.labels[rows].astype(np.uint8)
        files[part] = (
            remote(shelf, f"{part}-images.gz", idx(stack)),
            remote(shelf, f"{part}-labels.gz", idx(labels)),
        )
    known = dict(fetched.IDX_CORPORA)
    monkeypatch.setitem(known, "kmnist", replace(known["kmnist"], files=files))
    monkeypatch.setattr(fetched, "IDX_CORPORA", known)
    train: Any = load_corpus("kmnist", data_dir=tmp_path)
    np.testing.assert_array_equal(train.images, digits.images[chosen["train"]])
    np.testing.assert_array_equal(train.labels, digits.labels[chosen["train"]])
    assert len(load_corpus("kmnist", "test", tmp_path)) == 10
    assert len(load_corpus("kmnist", "all", tmp_path)) == 60
    assert (tmp_path / "kmnist" / "train-images.gz").is_file()
    monkeypatch.setenv("LIESCOPE_DATA", str(tmp_path))
    assert len(load_corpus("kmnist")) == 50
    assert len(shelf.requests) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8bbroken", "truncated or corrupt"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01", "idx file of unsigned bytes"),
        (b"\x00\x00\x08\x02\x00\x00\x00\x02\x00\x00\x00\x03abc", r"expected \(2, 3\) bytes .* got 3"),
        (b"\x00\x00\x08\x02\x00\x00\x00\x02", r"expected \(2,\) bytes"),
        (b"", "idx file of unsigned bytes"),
    ],
)
def test_bad_idx_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(InputError, match=message):
        fetched.read_idx(tmp_path / "a.gz")


def test_galaxy10_is_read_lazily_from_a_file_of_its_layout(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 255, (60, 32, 32, 3), dtype=np.uint8)
    with h5py.File(tmp_path / "made.h5", "w") as file:
        file["images"], file["ans"] = colour, (np.arange(60) % 3).astype(np.uint8)
    served = remote(shelf, "Galaxy10_DECals.h5", (tmp_path / "made.h5").read_bytes())
    monkeypatch.setattr(galaxy10, "GALAXY10_FILE", served)
    corpus: Any = load_corpus("galaxy10-decals", data_dir=tmp_path)
    assert corpus.images.shape == (60, 32, 32)
    assert not isinstance(corpus.images, np.ndarray)
    grey = np.rint(colour.mean(axis=-1))
    np.testing.assert_array_equal(corpus.images[[40, 3]], grey[[40, 3]])
    test: Any = load_corpus("galaxy10-decals", "test", tmp_path)
    assert np.unique(test.labels, return_counts=True)[1].tolist() == [2, 2, 2]
    assert not isinstance(test.images, np.ndarray)
    made: Any = make_pairs("supergalaxsym", data_dir=tmp_path, pairs=50, range=180)
    assert made.source.shape == (50, 16, 16)
    assert made.meta["label_names"] == list(galaxy10.GALAXY10_LABELS)


def test_galaxy10_of_another_layout_is_named(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "made.h5", "w") as file:
        file["images"], file["ans"] = np.zeros((6, 8, 8)), np.zeros(6)
    served = remote(shelf, "Galaxy10_DECals.h5", (tmp_path / "made.h5").read_bytes())
    monkeypatch.setattr(galaxy10, "GALAXY10_FILE", served)
    with pytest.raises(InputError, match=r"expected images \(N, H, W, 3\) and ans"):
        load_corpus("galaxy10-decals", data_dir=tmp_path)


def test_published_checksums_are_well_formed() -> None:
    for corpus in fetched.IDX_CORPORA.values():
        for file in (f for part in corpus.files.values() for f in part):
            algorithm, _, value = file.checksum.partition(":")
            assert (algorithm, len(value)) == ("sha256", 64)
            int(value, 16)
            assert all(url.startswith("https://") for url in file.urls)
    assert galaxy10.GALAXY10_FILE.checksum.endswith("98bb755c1571")


def test_nothing_is_downloaded_unasked(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a download was started")

    monkeypatch.setattr(download, "_download", refuse)
    for name in ("mnist-5k", "digits8", "hubble", "faces"):
        assert len(load_corpus(name, data_dir=tmp_path)) > 0
