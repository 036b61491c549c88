"""A film as a FITS cube."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import reading, told_path
from liescope.data.spool import Spool, mapped, native_order
from liescope.errors import InputError, require_memory, require_packages

__all__ = ["read_fits_cube"]

_NOT_TIME = (
    "FREQ", "ENER", "WAVN", "VRAD", "WAVE", "VOPT", "ZOPT", "AWAV", "VELO", "FELO", "BETA", "STOKES", "RA--", "DEC-",
    "GLON", "GLAT",
)  # fmt: skip
"""Beginnings of CTYPE that say what an axis is, and that it is not time (FITS standard 4.0, tables 23 to 28)."""

_MOST_UNITS = 10_000
_SCALED_BYTES = 24
"""Of a pixel: as it is stored, as it is scaled, and a copy."""


def read_fits_cube(path: Path) -> Any:
    """Frames (T, H, W) of the one cube in a FITS file, scaled (BSCALE, BZERO); BLANK becomes NaN, NaN stays.

    The first row of the array comes first, as astropy has it; viewers that draw it at the bottom show turns the other
    way round.

    Raises
    ------
    InputError
        No cube or several; an axis that is not time; truncated or corrupt; no astropy.
    """
    require_packages("astropy")
    from astropy.io import fits

    with reading(path, "a whole FITS file"), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        # A mapped file is not scaled; a section of one that is not mapped is read alone all the same.
        with fits.open(path, memmap=False) as units:
            # All headers are read before the first is used: a cut may lie behind the cube.
            images = [unit for unit in _all_units(units) if unit.is_image and unit.header.get("NAXIS", 0) > 0]
            # Of a header that is not to the letter astropy warns too; that is no reason to refuse.
            cut = [str(warning.message) for warning in told if "truncated" in str(warning.message)]
            if cut:
                raise InputError(f"expected a whole FITS file, got '{path.name}', truncated ({cut[0]})")
            return _frames(path, _cube(path, images), fits)


def _all_units(units: Any) -> list[Any]:
    """The units of a file one by one: where sizes are broken, the next one may begin where the last one did."""
    found: list[Any] = []
    last = -1
    while True:
        try:
            unit = units[len(found)]
        except IndexError:
            return found
        if not hasattr(unit, "fileinfo"):
            raise ValueError(f"a header that cannot be read, after {len(found)}")
        place = (unit.fileinfo() or {}).get("hdrLoc", last + 1)
        if place <= last or len(found) >= _MOST_UNITS:
            raise ValueError(f"units without an end after {len(found)}")
        found.append(unit)
        last = place


def _cube(path: Path, images: list[Any]) -> Any:
    cubes = [unit for unit in images if sum(n > 1 for n in unit.shape) > 2]
    if len(cubes) == 1:
        return cubes[0]
    if cubes:
        names = ", ".join(f"{unit.name or 'unnamed'} {unit.shape}" for unit in cubes)
        raise InputError(f"expected one cube in '{path.name}', got {len(cubes)} ({names}), try a file for each")
    if len(images) == 1:
        raise InputError(
            f"expected pairs or a film, got one image, '{path.name}', try a cube, or np.savez('film.npz', frames=...)"
        )
    raise InputError(
        f"expected a cube (T, H, W) in '{path.name}', got {len(images)} images, try "
        "np.savez('film.npz', frames=np.stack([unit.data for unit in units]))"
    )


def _frames(path: Path, unit: Any, fits: Any) -> Any:
    shape = tuple(int(n) for n in unit.shape)
    long_axes = [k for k, n in enumerate(shape) if n > 1]
    kind = str(unit.header.get(f"CTYPE{len(shape) - long_axes[0]}", "")).strip().upper()
    if len(long_axes) > 3 or kind.startswith(_NOT_TIME):
        got = f"axes {' x '.join(map(str, shape))}" + (f", the first of {kind}" if kind else "")
        raise InputError(
            f"expected a cube of time, rows and columns in '{path.name}', got {got}, try "
            "np.savez('film.npz', frames=...) with the axis that is time"
        )
    frames = tuple(shape[k] for k in long_axes)
    header = unit.header
    plain = (
        not isinstance(unit, fits.CompImageHDU)
        and path.suffix.lower() != ".gz"
        and not {"BLANK", "BSCALE", "BZERO"} & set(header)
    )
    if plain:
        stored = np.dtype({8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}[header["BITPIX"]])
        return native_order(mapped(path, stored, unit.fileinfo()["datLoc"], frames))
    told = f"a frame of {told_path(path.name)}, {' x '.join(map(str, frames[1:]))},"
    require_memory(math.prod(frames[1:]) * _SCALED_BYTES, told, "smaller images")
    with Spool(path.name) as spool:
        for k in range(frames[0]):
            # Scaled image by image: the whole cube at once would have to fit into memory.
            place = tuple(slice(k, k + 1) if axis == long_axes[0] else slice(None) for axis in range(len(shape)))
            image = np.asarray(unit.section[place]).reshape(frames[1:])
            spool.add(image.astype(image.dtype.newbyteorder("="), copy=False))
        return spool.frames()
