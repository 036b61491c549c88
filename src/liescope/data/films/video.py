"""Films in containers: AVI, MP4, Matroska and what else the codecs read, and animated images."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import reading, told_path
from liescope.data.spool import Spool
from liescope.errors import InputError, require_memory, require_packages

__all__ = ["VIDEO_SUFFIXES", "read_animation", "read_video"]

VIDEO_SUFFIXES = (
    ".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv",
    ".3gp", ".mxf",
)  # fmt: skip
"""Endings that are taken for films where the first bytes do not say what a file is."""

_INSTEAD = "try writing it anew, or its frames as a folder of .png files"
_EIGHT = 8
_DECODED_BYTES = 24
"""Of a pixel, with some frames in the decoder."""
_THIS_FILE = {
    "protocol_whitelist": "file",
    "format_whitelist": "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpeg,mpegts,mpegvideo,asf,flv,ogg,mxf,m4v,h264,hevc",
}
"""Play lists and scripts are films to FFmpeg too, and name other files or places on the net: none of them is opened."""


def read_video(path: Path) -> np.ndarray:
    """Frames (T, H, W) or (T, 3, H, W) of a film, all of them decoded, at the depth of its codec.

    Parameters
    ----------
    path : path

    Returns
    -------
    array
        uint8, or uint16 where the codec keeps more than eight bits. Colour in which the three channels never differ
        is read as grey. Large films lie in a temporary file.

    Raises
    ------
    InputError
        No film in it, a codec that cannot be read, truncated or corrupt; no imageio or av.
    """
    require_packages("imageio", "av")
    import av
    import imageio.v3 as iio

    with reading(path, "a film that can be read", f", {_INSTEAD}"):
        _check_whole(path)
        with _quiet_codecs(), _ColourSpool(path.name) as spool:
            wanted, grey = _wanted_format(av, _stored_format(av, path))
            # Its annotations do not know what it hands on to av.open.
            how: Any = {"plugin": "pyav", "options": _THIS_FILE}
            with iio.imopen(path, "r", **how) as film:
                for frame in film.iter(format=wanted, thread_type="FRAME"):
                    spool.add(frame[..., None] if grey else frame)
            return spool.frames()


@contextlib.contextmanager
def _quiet_codecs() -> Iterator[None]:
    """FFmpeg writes on stderr, past Python; what matters comes back as an exception.

    None, not some level: at any level its threads wait for Python's lock to tell of an error, while Python, which holds
    the lock, waits for them to end.
    """
    import av.logging

    before = av.logging.get_level()
    av.logging.set_level(None)
    try:
        yield
    finally:
        av.logging.set_level(before)


def _stored_format(av: Any, path: Path) -> str:
    """The pixel format of the film in a file."""
    with av.open(str(path), options=_THIS_FILE) as file:
        if not file.streams.video:
            raise InputError(f"expected a film that can be read, got '{path.name}' without pictures, {_INSTEAD}")
        codec = file.streams.video[0].codec_context
        if codec is None or codec.pix_fmt is None:
            raise InputError(
                f"expected a film that can be read, got '{path.name}' in a codec that is not known, {_INSTEAD}"
            )
        told = f"a frame of {told_path(path.name)}, {codec.height} x {codec.width} pixels,"
        require_memory(codec.height * codec.width * _DECODED_BYTES, told)
        return str(codec.pix_fmt)


def _wanted_format(av: Any, stored: str) -> tuple[str, bool]:
    """The pixel format that holds all of a stored one, and whether it is grey."""
    components = av.VideoFormat(stored).components
    deep = max(component.bits for component in components) > _EIGHT
    grey = stored.startswith(("gray", "mono", "ya"))
    if grey:
        return ("gray16le" if deep else "gray"), True
    return ("rgb48le" if deep else "rgb24"), False


class _ColourSpool(Spool):
    """Frames (H, W, C) that are given back as grey where they are."""

    _grey = True

    def add(self, frame: np.ndarray, what: str | None = None) -> None:
        super().add(frame, what)
        self._grey = self._grey and bool((frame == frame[..., :1]).all())

    def frames(self) -> np.ndarray:
        """(T, H, W) or (T, C, H, W), a view."""
        stack = super().frames()
        return stack[..., 0] if self._grey else np.moveaxis(stack, -1, 1)


def _check_whole(path: Path) -> None:
    """Compare what MP4 and AVI say of their own length with the file: decoders pass over a film's missing end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF":
            missing = 8 + int.from_bytes(head[4:8], "little") - size
        elif head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
            missing = _missing_of_boxes(file, size)
        else:
            missing = 0
    if missing > 0:
        raise InputError(
            f"expected a whole film, got '{path.name}', truncated (at least {missing} bytes are missing), "
            "try copying it again"
        )


def _missing_of_boxes(file: Any, size: int) -> int:
    """Bytes that the boxes of an MP4 name and the file lacks; 1 where the index is not there at all."""
    at, kinds = 0, set()
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        kinds.add(kind)
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:  # to the end of the file
            length = size - at
        if length < 8:
            break
        at += length
    if at == size and b"moov" not in kinds:
        return 1
    return at - size if at > size else 0


def read_animation(path: Path) -> np.ndarray:
    """Frames (T, H, W) or (T, 3, H, W), uint8, of a GIF, an animated PNG or WebP; alpha dropped.

    Raises
    ------
    InputError
        One image alone, truncated or corrupt.
    """
    from PIL import Image, ImageSequence

    with reading(path, "a film that can be read"), Image.open(path) as image, _ColourSpool(path.name) as spool:
        told = f"a frame of {told_path(path.name)}, {image.height} x {image.width} pixels,"
        require_memory(image.height * image.width * _DECODED_BYTES, told)
        count = getattr(image, "n_frames", 1)
        if count < 2:
            raise InputError(
                f"expected pairs or a film, got one image, '{path.name}', try a folder of numbered frames, "
                "or a folder with source/ and target/"
            )
        for frame in ImageSequence.Iterator(image):
            spool.add(np.asarray(frame.convert("RGB")))
        if image.format == "GIF" and not path.read_bytes().rstrip(b"\x00").endswith(b";"):
            raise InputError(f"expected a whole GIF, got '{path.name}', truncated")
        return spool.frames()
