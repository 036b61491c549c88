"""A film from a file or a folder, told by what it is."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from liescope.data.archives import array_names, read_npy, read_npz
from liescope.data.checks import listed
from liescope.data.films.fits import read_fits_cube
from liescope.data.films.folders import read_frame_folder
from liescope.data.films.pairing import as_film
from liescope.data.films.video import VIDEO_SUFFIXES, read_animation, read_video
from liescope.data.guard import check_place, reading, told_path
from liescope.data.hdf5 import array_names_of_hdf5, read_hdf5
from liescope.data.kinds import ANIMATIONS, KINDS, STILLS, VIDEOS, file_kind
from liescope.data.stacks import image_files
from liescope.data.tiff import read_tiff_film
from liescope.errors import InputError

__all__ = ["holds_film", "read_film"]

_ARRAYS = ("npz", "hdf5")


def holds_film(path: str | Path) -> bool:
    """Whether a file or folder is a film; False where it holds pairs.

    What a file is decides, not its name: its first bytes, and the names of the arrays in it.

    Raises
    ------
    InputError
        Neither; the message says what it is, and what works.
    """
    path = Path(path)
    check_place(path, "pairs or a film")
    if path.is_dir():
        return _folder_holds_film(path)
    kind = _kind(path)
    if kind in _ARRAYS:
        return _arrays_hold_film(path, kind)
    if kind in (*ANIMATIONS, *VIDEOS, "tiff", "fits", "npy"):
        return True
    raise InputError(_refusal(path, kind))


def read_film(path: str | Path) -> Any:
    """Read the frames of a film.

    Parameters
    ----------
    path : path
        ``.npz`` or ``.h5`` with ``frames``, an ``.npy``; a TIFF stack of pages; a FITS cube; a folder of numbered
        image files; ``.avi``, ``.mp4`` and other films that imageio reads; an animated GIF, PNG or WebP.

    Returns
    -------
    array or lazy stack, shape (T, H, W) or (T, C, H, W)
        In the file's own type: 16 bits stay 16 bits, in colour too. Large ones stay in their file, or lie in a
        temporary one where they had to be decoded: memory stays bounded.

    Raises
    ------
    InputError
        Anything that is no film, frames of several sizes or types, a film of one frame, truncated or corrupt files,
        codecs that cannot be read, packages that are missing.
    """
    path = Path(path)
    if not holds_film(path):
        raise InputError(f"expected a film, got pairs in '{path.name}', try load_pairs")
    frames = _frames(path)
    try:
        as_film(frames)
    except InputError as error:
        raise InputError(f"{told_path(path.name)[1:-1]}: {error}") from None
    return frames


def _frames(path: Path) -> Any:
    if path.is_dir():
        return read_frame_folder(path)
    kind = _kind(path)
    if kind == "npz":
        return read_npz(path, ("frames",))["frames"]
    if kind == "hdf5":
        return read_hdf5(path, ("frames",))["frames"]
    if kind == "npy":
        return read_npy(path)
    if kind == "tiff":
        return read_tiff_film(path)
    if kind == "fits":
        return read_fits_cube(path)
    return read_animation(path) if kind in ANIMATIONS else read_video(path)


def _kind(path: Path) -> str | None:
    """As :func:`file_kind`; a compressed FITS is a FITS, and what cannot be told is a film where its name says so."""
    kind = file_kind(path)
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if kind == "gzip" and suffixes[:1] in ([".fits"], [".fit"], [".fts"]):
        return "fits"
    return "mkv" if kind is None and suffixes[-1:] and suffixes[-1] in VIDEO_SUFFIXES else kind


def _folder_holds_film(path: Path) -> bool:
    if (path / "source").is_dir() or (path / "target").is_dir():
        return False
    if (path / "result.json").is_file():
        raise InputError(f"expected pairs or a film, got the folder of a result, '{path}'")
    if image_files(path):
        return True
    raise InputError(
        f"expected pairs or a film, got the folder '{path}' without either, try folders source/ and target/ in it, "
        "or frames frame0001.png, frame0002.png, ..."
    )


def _arrays_hold_film(path: Path, kind: str) -> bool:
    names = _names(path, kind)
    if {"source", "target"} & names:
        return False
    if "frames" in names:
        return True
    if {"before", "after"} & names:
        raise InputError(
            f"expected pairs or a film in '{path.name}', got sets (before, after), which are not there yet, "
            "try pairs: arrays source and target"
        )
    raise InputError(
        f"expected arrays source and target (pairs), or frames (a film), in '{path.name}', got "
        f"{listed(names)}, try naming them so"
    )


def _names(path: Path, kind: str) -> set[str]:
    """Names of the arrays in a file."""
    if kind != "npz":
        return array_names_of_hdf5(path)
    with reading(path, "an .npz file"), zipfile.ZipFile(path) as archive:
        return set(array_names(archive))


def _refusal(path: Path, kind: str | None) -> str:
    if kind in STILLS:
        return (
            f"expected pairs or a film, got one image, '{path.name}', try a folder of numbered frames, "
            "or a folder with source/ and target/"
        )
    advice = {
        "pickle": "(pickles are never loaded), try np.savez",
        "mat": ", try scipy.io.loadmat and np.savez",
        "empty": ", try writing it again",
    }
    what = "a file of a kind that is not known" if kind is None else KINDS[kind]
    tail = advice.get(kind or "", ", try .npz, .h5, .tif, .fits, .avi, .mp4 or a folder")
    return f"expected pairs or a film, got {what}, '{path.name}'{'' if tail.startswith(',') else ' '}{tail}"
