"""What a file is, by its first bytes: names of files are only names."""

from __future__ import annotations

import codecs
from pathlib import Path

from liescope.data.guard import check_place, reason, told_path
from liescope.errors import InputError

__all__ = ["ANIMATIONS", "FILMS", "KINDS", "STILLS", "VIDEOS", "file_kind", "other_kind"]

_HEAD = 64

KINDS = {
    "npz": "a zip archive",
    "npy": "a single array (.npy)",
    "hdf5": "an HDF5 file",
    "tiff": "a TIFF image or stack",
    "fits": "a FITS file",
    "png": "a PNG image",
    "jpeg": "a JPEG image",
    "gif": "a GIF",
    "webp": "a WebP image",
    "bmp": "a BMP image",
    "netpbm": "a PGM or PPM image",
    "avi": "an AVI film",
    "mp4": "an MP4 or QuickTime film",
    "mkv": "a Matroska or WebM film",
    "gzip": "a gzip file",
    "pickle": "a pickle",
    "mat": "a MATLAB file",
    "pdf": "a PDF",
    "text": "text",
    "empty": "an empty file",
}
"""Kinds of files that are told apart, as they stand in a sentence."""

ANIMATIONS = ("gif", "png", "webp")
STILLS = ("png", "jpeg", "bmp", "netpbm")
VIDEOS = ("avi", "mp4", "mkv")
FILMS = ("tiff", "fits", "npy", "gif", "webp", *VIDEOS)
"""Kinds that are films as a rule; a PNG is one image, unless it is animated."""

_SIGNATURES = (
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),
    (b"\x93NUMPY", "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"SIMPLE  =", "fits"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"\x1a\x45\xdf\xa3", "mkv"),
    (b"\x1f\x8b", "gzip"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
    (b"MATLAB 5.0", "mat"),
    (b"%PDF", "pdf"),
)


def file_kind(path: Path) -> str | None:
    """A key of :data:`KINDS`, or None for a file that is none of them.

    Raises
    ------
    InputError
        It cannot be read.
    """
    check_place(path, "a file")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(f"expected a file that can be read, got {told_path(path)} ({reason(error)})") from None
    if not head:
        return "empty"
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF":
        return {b"AVI ": "avi", b"WEBP": "webp"}.get(head[8:12])
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "mp4"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "netpbm"
    try:
        # The last letter may be cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return "text" if all(letter.isprintable() or letter in "\t\n\r\ufeff" for letter in text) else None


def other_kind(path: Path, *expected: str) -> str | None:
    """What the file is in a few words where it is intact and none of the ``expected`` kinds; None where it may be."""
    kind = file_kind(path)
    return None if kind is None or kind == "empty" or kind in expected else KINDS[kind]
