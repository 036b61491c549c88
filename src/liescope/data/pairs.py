"""Pairs of images and their files (.npz, .h5, two folders), safe to read and atomic to write."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.archives import read_npz
from liescope.data.checks import validate_images
from liescope.data.guard import check_place, json_of, quoted, reason, told_path, writing
from liescope.data.kinds import FILMS, STILLS, file_kind, other_kind
from liescope.errors import InputError

__all__ = ["META_KEYS", "Pairs", "load_pairs", "save_pairs"]

META_KEYS = (
    "task",
    "corpus",
    "transform",
    "basis",
    "generators",
    "law",
    "unit",
    "unit_per_t",
    "interpolation",
    "seed",
)
"""Keys that every made set of pairs carries.

``generators``, ``law``, ``unit`` and ``unit_per_t`` are lists: one entry per transform, in order of
application.
"""

_PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".joblib", ".dill", ".ckpt"}
_HDF5 = {".h5", ".hdf5"}
_SAVED = "np.savez(name, source=..., target=...)"

_OPTIONAL = ("magnitude", "label", "meta", "source_mask", "target_mask")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Source and target images with what is known about them.

    Parameters
    ----------
    source, target : array or lazy stack, shape (N, H, W) or (N, C, H, W)
    magnitude : array, shape (N, K), optional
        True t of every pair in units of the unit-norm generators, one column per transform.
    label : array, shape (N,), optional
        Class of the source image.
    meta : dict
        JSON-able settings and truth; see ``META_KEYS``.
    source_mask, target_mask : array, shape (N, H, W) or (H, W), optional
        True where a pixel is valid.
    """

    source: Any
    target: Any
    magnitude: np.ndarray | None = None
    label: np.ndarray | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    source_mask: np.ndarray | None = None
    target_mask: np.ndarray | None = None

    def __len__(self) -> int:
        return int(self.source.shape[0])

    @property
    def natural_magnitude(self) -> np.ndarray | None:
        """Magnitudes in natural units (degrees, pixels, ...), shape (N, K)."""
        if self.magnitude is None or "unit_per_t" not in self.meta:
            return None
        natural: np.ndarray = self.magnitude * np.asarray(self.meta["unit_per_t"], dtype=np.float64)
        return natural


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that replaces it on success and vanishes on failure."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        told = f"{told_path(path.parent)}: {reason(error)}"
        raise InputError(f"expected a folder that can be written, got {told}") from None
    os.close(handle)
    temporary = Path(name)
    try:
        with writing(path):
            yield temporary
            # mkstemp makes private files; give the result the mode that a plain open() would have.
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_pairs(path: str | Path, pairs: Pairs) -> Path:
    """Write pairs as ``.npz`` (uncompressed, so that large sets can be mapped) or ``.h5``; all or nothing.

    The same pairs give the same bytes.
    """
    path = Path(path)
    arrays: dict[str, Any] = {"source": pairs.source, "target": pairs.target}
    if pairs.magnitude is not None:
        arrays["magnitude"] = pairs.magnitude
    if pairs.label is not None:
        arrays["label"] = pairs.label
    masks = {"source_mask": pairs.source_mask, "target_mask": pairs.target_mask}
    arrays |= {name: mask for name, mask in masks.items() if mask is not None}
    meta = json.dumps(pairs.meta)
    if path.suffix in _HDF5:
        from liescope.data.stacks import write_hdf5

        with atomic_path(path) as temporary:
            write_hdf5(temporary, arrays, meta)
    elif path.suffix == ".npz":
        arrays["meta"] = np.array(meta)
        with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                # The archive's own default date keeps reruns bit-equal.
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    else:
        raise InputError(f"expected a pairs file ending in .npz or .h5, got '{path}'")
    return path


def load_pairs(path: str | Path, min_pairs: int = 1) -> Pairs:
    """Read and check a set of pairs.

    Parameters
    ----------
    path : path
        ``.npz`` or ``.h5`` with ``source`` and ``target`` (NaN: missing pixels), or a folder with subfolders
        ``source`` and ``target`` of paired image files. HDF5, folders and large uncompressed ``.npz`` are read lazily.
        What a file is decides, not its name.
    min_pairs : int
        Smallest number of pairs accepted.

    Returns
    -------
    Pairs
        Images of shape (N, C, H, W) in the file's dtype.

    Raises
    ------
    InputError
        Missing, truncated or corrupt file; no ``source`` or ``target``; object arrays and pickles (refused,
        never loaded); anything that :func:`validate_images` refuses.

    Examples
    --------
    >>> images = np.random.default_rng(0).random((8, 9, 9))
    >>> np.savez("mine.npz", source=images, target=images[:, ::-1])
    >>> pairs = load_pairs("mine.npz")
    >>> len(pairs), pairs.source.shape
    (8, (8, 1, 9, 9))
    """
    path = Path(path)
    check_place(path, "a pairs file")
    arrays = _read_arrays(path)
    try:
        source, target = validate_images(arrays["source"], arrays["target"], min_pairs=min_pairs, nan=True)
        magnitude, label = _truth(arrays, len(source))
        masks = arrays.get("source_mask"), arrays.get("target_mask")
        return Pairs(source, target, magnitude, label, _meta(arrays.get("meta")), *masks)
    except InputError as error:
        raise InputError(f"{told_path(path.name)[1:-1]}: {error}") from None


def _read_arrays(path: Path) -> Mapping[str, Any]:
    """Arrays of a folder or a file, told by what it is; by its name where its first bytes do not say it."""
    from liescope.data.stacks import read_folders, read_hdf5

    if path.is_dir():
        return read_folders(path)
    kind, suffix = file_kind(path), path.suffix.lower()
    if kind == "pickle" or suffix in _PICKLES:
        told = f"{told_path(path.name)} (pickles are never loaded), try {_SAVED}"
        raise InputError(f"expected pairs as .npz, .h5 or a folder, got {told}")
    if kind not in (None, "empty", "npz", "hdf5"):
        what = "an HDF5" if suffix in _HDF5 else "an .npz"
        raise InputError(
            f"expected {what} file, got {told_path(path.name)}, {other_kind(path)}, try {_way_of(str(kind))}"
        )
    if kind == "hdf5" or (kind != "npz" and suffix in _HDF5):
        return read_hdf5(path, ("source", "target"), optional=_OPTIONAL)
    return read_npz(path, ("source", "target"), optional=_OPTIONAL)


def _way_of(kind: str) -> str:
    """How the content of a file of another kind becomes pairs, or what else it may be."""
    if kind in FILMS:
        return f"detect(frames=read_film(...)) if it is a film, or {_SAVED}"
    if kind in STILLS:
        return "a folder with source/ and target/"
    return f"scipy.io.loadmat and {_SAVED}" if kind == "mat" else _SAVED


def _truth(arrays: Mapping[str, Any], count: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    magnitude = arrays.get("magnitude")
    if magnitude is not None:
        magnitude = np.asarray(magnitude)
        if magnitude.dtype.kind not in "fiu" or magnitude.ndim not in (1, 2) or len(magnitude) != count:
            raise InputError(
                f"expected magnitude of shape ({count},) or ({count}, K), got {magnitude.dtype} {magnitude.shape}"
            )
        magnitude = magnitude.astype(np.float64).reshape(count, -1)
    label = arrays.get("label")
    if label is not None:
        label = np.asarray(label)
        if label.shape != (count,):
            raise InputError(f"expected label of shape ({count},), got {label.shape}")
    return magnitude, label


def _meta(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, str | bytes):
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "SUO":
            raise InputError(f"expected meta as one JSON text, got {array.dtype} of shape {array.shape}")
        value = array.item()
    try:
        meta = json_of(value, "meta")
    except InputError as error:
        raise InputError(f"expected meta as JSON text, got {quoted(value)} ({error})") from None
    if not isinstance(meta, dict):
        raise InputError(f"expected meta as a JSON object, got {type(meta).__name__}")
    return meta
