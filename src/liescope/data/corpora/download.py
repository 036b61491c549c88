"""Fetching of corpus files: only when asked for by name, resumed where interrupted, checked before use."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from liescope.data.guard import quoted
from liescope.errors import InputError, require_packages

__all__ = ["RemoteFile", "corpus_folder", "fetch"]

ATTEMPTS = 3
TIMEOUT_SECONDS = 30
BLOCK_BYTES = 1 << 18
SCHEMES = ("https",)
"""How addresses that something is fetched from begin, those that they lead to included."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a corpus.

    Parameters
    ----------
    name : str
        File name on disk.
    urls : sequence of str
        Where to get it, in order of preference.
    checksum : str
        ``sha256:...`` in lower case.
    """

    name: str
    urls: Sequence[str]
    checksum: str


class _InterruptedError(Exception):
    """A download that may be resumed."""


def corpus_folder(corpus: str, data_dir: str | Path | None) -> Path:
    """Where the files of a fetched corpus live: below ``data_dir``, or the user's cache folder."""
    require_packages("pooch")
    import pooch

    base = (
        Path(data_dir) if data_dir is not None else Path(os.environ.get("LIESCOPE_DATA") or pooch.os_cache("liescope"))
    )
    return base.expanduser() / corpus


def fetch(file: RemoteFile, folder: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """The path of a checked local copy; downloads it if there is none.

    Parameters
    ----------
    file : RemoteFile
    folder : Path
        Where it is, or goes.
    progress : callable, optional
        Called with (bytes done, bytes in all or 0); default a bar on a terminal, plain lines in a log.

    Raises
    ------
    InputError
        No connection (says which file to put where); wrong checksum (names both sums; a download is removed,
        a file that was there before is left alone).
    """
    path = folder / file.name
    if path.is_file():
        _verify(path, file, downloaded=False)
        return path
    partial = path.with_name(path.name + ".part")
    problems = []
    with _made(folder):
        for url in file.urls:
            _check_secure(url)
            try:
                _download(url, partial, progress or _Bar(file.name))
            except _InterruptedError as problem:
                problems.append(f"{url}: {problem}")
                continue
            _verify(partial, file, downloaded=True)
            os.replace(partial, path)
            return path
        raise InputError(
            f"expected to download {file.name}, got no connection ({'; '.join(problems)}), "
            f"try again later or put the file by hand at '{path}'"
        )


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The folder with its parents; those that were not there go again if nothing came into them."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"expected a data folder that can be written, got '{folder}' ({error.strerror})") from None
        yield
    finally:
        for place in missing:
            with contextlib.suppress(OSError):
                place.rmdir()  # refuses what is not empty


def _check_secure(url: str) -> None:
    """Refuse what anybody on the way may change: an address, or one that it leads to, without encryption."""
    if urlsplit(url).scheme not in SCHEMES:
        raise InputError(f"expected an address that begins with https://, got {quoted(url, 120)}")


def _verify(path: Path, file: RemoteFile, downloaded: bool) -> None:
    import pooch

    algorithm, _, wanted = file.checksum.partition(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    if found == wanted.lower():
        return
    if downloaded:
        path.unlink()
    advice = "it was removed, try again" if downloaded else f"try deleting '{path}' to fetch it again"
    raise InputError(f"expected {algorithm} {wanted.lower()} of {file.name}, got {found}, {advice}")


def _download(url: str, partial: Path, progress: Callable[[int, int], None]) -> None:
    """Append to the partial file until it is whole; a few attempts, each resuming the last."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _transfer(url, partial, progress)
            return
        except _InterruptedError:
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.2 * attempt)


def _transfer(url: str, partial: Path, progress: Callable[[int, int], None]) -> None:
    require_packages("requests", "urllib3")
    import requests
    import urllib3

    have = partial.stat().st_size if partial.exists() else 0
    # "identity": a server must not unpack .gz files on the way, the checksum is that of the packed file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
            _check_secure(answer.url)
            if answer.status_code == 416:
                return  # Nothing is left to send; the checksum decides.
            if answer.status_code not in (200, 206):
                raise _InterruptedError(f"the server answered {answer.status_code}")
            if answer.status_code == 200:
                have = 0  # This server cannot resume.
            length = int(answer.headers.get("Content-Length") or 0)
            total = have + length if length else 0
            with partial.open("ab" if have else "wb") as out:
                for block in answer.raw.stream(BLOCK_BYTES, decode_content=False):
                    out.write(block)
                    have += len(block)
                    progress(have, total)
            if total and have < total:
                raise _InterruptedError(f"the connection broke after {have} of {total} bytes")
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _InterruptedError(type(error).__name__) from None
    except OSError as error:
        raise InputError(f"expected to write '{partial}', got: {error.strerror or error}") from None


class _Bar:
    """Download progress on stderr: a moving line on a terminal, one line for every tenth in a log."""

    def __init__(self, name: str) -> None:
        self.name, self.tenth = name, -1

    def __call__(self, done: int, total: int) -> None:
        megabytes = f"{done / 1e6:.1f}" + (f" of {total / 1e6:.1f}" if total else "") + " MB"
        if sys.stderr.isatty():
            end = "\n" if total and done >= total else ""
            sys.stderr.write(f"\r{self.name}: {megabytes}{end}")
        elif total and (10 * done) // total > self.tenth:
            self.tenth = (10 * done) // total
            sys.stderr.write(f"{self.name}: {megabytes}\n")
        sys.stderr.flush()
