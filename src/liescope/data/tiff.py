"""TIFF files: one image at its full depth, or a stack of pages as a film, axes as the file names them."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import reading, told_path
from liescope.data.kinds import other_kind
from liescope.data.spool import Spool, mapped, native_order
from liescope.errors import InputError, require_memory, require_packages

__all__ = ["read_tiff_film", "read_tiff_image", "written_axes"]

_TIME, _CHANNEL = "TIQ", "CS"
_AXES = {
    "T": "time",
    "I": "pages",
    "Q": "an axis without a name",
    "Z": "depth (Z)",
    "C": "channels",
    "S": "colours",
    "R": "tiles",
    "P": "phases or plates",
}


class _Errors(logging.Handler):
    """What tifffile logs as an error: pages that it leaves out."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.first: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file as tifffile has it, all of its pages found; InputError where any part of it cannot be read."""
    with reading(path, "a whole TIFF file"), _pages_of(path) as file:
        yield file


@contextlib.contextmanager
def _pages_of(path: Path) -> Iterator[Any]:
    if kind := other_kind(path, "tiff"):
        raise InputError(f"expected a TIFF file, got '{path.name}', {kind}")
    require_packages("tifffile", "imagecodecs")
    import tifffile

    logger, errors = logging.getLogger("tifffile"), _Errors()
    before = logger.propagate
    logger.addHandler(errors)
    logger.propagate = False
    try:
        # Descriptions may name other files as parts of the stack (OME, Micro-Manager): none of them is opened.
        alone: Any = {f"is_{name}": False for name in ("mmstack", "ndtiff") if name in tifffile.TIFF.FILE_FLAGS}
        with tifffile.TiffFile(path, _multifile=False, **alone) as file:
            # The chain of pages is followed to its end: where it breaks, tifffile logs an error and stops.
            len(file.pages)
            if errors.first is None:
                yield file
        if errors.first is not None:
            raise InputError(f"expected a whole TIFF file, got '{path.name}', truncated or corrupt ({errors.first})")
    finally:
        logger.removeHandler(errors)
        logger.propagate = before


def read_tiff_image(path: Path) -> np.ndarray:
    """The one image in a file, (H, W) or (C, H, W), as deep as it is stored; alpha dropped.

    Raises
    ------
    InputError
        Several pages, truncated or corrupt, palettes, or the packages are missing.
    """
    with _opened(path) as file:
        image = _decoded(path, page := _only_page(path, file))
        image = image.astype(np.uint8) if image.dtype == bool else image
        if image.ndim == 3 and page.axes[-1] == "S":
            image = np.moveaxis(image[..., : _colours(page)], -1, 0)
        image = image[0] if image.ndim == 3 and len(image) == 1 else image
        return np.ascontiguousarray(native_order(image))


def _decoded(path: Path, page: Any) -> np.ndarray:
    """The pixels of a page, after a look at how much memory it says that they and one of its tiles take."""
    if page.dtype is None or min(page.shape, default=0) < 1:
        raise ValueError(f"a page of {page.dtype} of shape {page.shape}")
    pixels = math.prod(page.shape) + math.prod(page.chunks)
    told = f"a page of {told_path(path.name)}, {' x '.join(map(str, page.shape))},"
    require_memory(pixels * page.dtype.itemsize, told, "smaller images")
    return np.asarray(page.asarray())


def _only_page(path: Path, file: Any) -> Any:
    if len(file.pages) > 1 or len(file.series) != 1 or len(file.series[0].shape) > 3:
        raise InputError(
            f"expected one image in '{path.name}', got {' x '.join(map(str, file.series[0].shape))} in "
            f"{len(file.pages)} pages, try a film: liescope detect '{path.name}', or a file for every image"
        )
    page = file.pages[0]
    _check_colours(path, page)
    return page


def _colours(page: Any) -> int:
    """Samples of a pixel without alpha."""
    alpha = sum(int(extra) in (1, 2) for extra in (page.extrasamples or ()))
    return max(1, int(page.samplesperpixel) - alpha)


def _check_colours(path: Path, page: Any) -> None:
    import tifffile

    known = tifffile.PHOTOMETRIC
    if page.photometric not in (known.MINISBLACK, known.MINISWHITE, known.RGB, known.YCBCR):
        name = getattr(page.photometric, "name", str(page.photometric)).lower()
        raise InputError(f"expected grey or RGB pages in '{path.name}', got {name}, try converting them to RGB")


def read_tiff_film(path: Path) -> Any:
    """Frames of a stack of pages.

    Parameters
    ----------
    path : path

    Returns
    -------
    array or lazy stack, shape (T, H, W) or (T, C, H, W)
        Uncompressed stacks stay in the file; others are in a temporary one when they are large. Alpha dropped.

    Raises
    ------
    InputError
        One image alone; an axis that need not be time; pages of several sizes; truncated or corrupt; palettes.
    """
    with _opened(path) as file:
        if not file.series:
            raise InputError(f"expected frames in '{path.name}', got a TIFF file without an image")
        series, page = file.series[0], file.series[0].keyframe
        if len(file.series) > 1:
            raise InputError(_several_sizes(path, file))
        _check_colours(path, page)
        time, channel = _time_and_channel(path, series)
        alpha = page.axes[-1:] == "S" and _colours(page) < page.samplesperpixel
        stack = _pixels(path, series)
    stack = np.moveaxis(stack, time, 0)
    if channel is not None:
        place = channel + (channel < time)
        stack = np.moveaxis(stack, place, 1)
        stack = stack[:, : _colours(page)] if alpha else stack
        stack = stack[:, 0] if stack.shape[1] == 1 else stack
    return native_order(stack)


def _several_sizes(path: Path, file: Any) -> str:
    shapes = [(tuple(page.shape), int(page.index)) for page in file.pages]
    first = shapes[0]
    other = next((one for one in shapes if one[0] != first[0]), None)
    if other is None:
        return f"expected one stack in '{path.name}', got {len(file.series)} of them, try a file for each"
    sizes = [f"{'x'.join(map(str, shape))} in page {index}" for shape, index in (first, other)]
    return f"expected frames of one size in '{path.name}', got {sizes[0]} and {sizes[1]}"


def _time_and_channel(path: Path, series: Any) -> tuple[int, int | None]:
    """Places of the axis of time and of that of channels; the rows and columns must be all that is left."""
    axes, shape = series.axes, series.shape
    times = [k for k, axis in enumerate(axes) if axis in _TIME]
    channels = [k for k, axis in enumerate(axes) if axis in _CHANNEL]
    others = [k for k, axis in enumerate(axes) if axis not in _TIME + _CHANNEL + "YX"]
    if not times and not others and (not channels or axes[-1] == "S" or "S" in axes):
        raise InputError(
            f"expected pairs or a film, got one image, '{path.name}', try a stack of several pages, "
            "or a folder with source/ and target/"
        )
    if len(times) == 1 and len(channels) <= 1 and not others and "Y" in axes and "X" in axes:
        return times[0], channels[0] if channels else None
    got = ", ".join(
        f"{shape[k]} of {_AXES.get(axes[k], f'axis {axes[k]}')}" for k in range(len(axes)) if axes[k] not in "YX"
    )
    raise InputError(
        f"expected one axis of time in '{path.name}', got {got} (axes {axes}), try naming it: "
        "in ImageJ frames instead of slices or channels (Image > Properties), in Python "
        f"tifffile.imwrite(name, stack, imagej=True, metadata={{'axes': '{written_axes(len(axes))}'}})"
    )


def written_axes(rank: int) -> str:
    """Axes that say which one is time, for a stack of that rank."""
    return "TYX" if rank < 4 else "TCYX"


def _pixels(path: Path, series: Any) -> np.ndarray:
    """The series as it is stored: mapped where it lies in one piece, else page by page."""
    if series.dtype is None or min(series.shape) < 1:
        raise ValueError(f"a stack of {series.dtype} of shape {series.shape}")
    if series.dataoffset is not None:
        # Bits that are no bytes are not in one piece for numpy.
        stored = series.dtype.newbyteorder(series.parent.byteorder) if series.parent else series.dtype
        if stored.kind in "iuf":
            return mapped(path, stored, series.dataoffset, series.shape)
    pages = list(series.pages)
    if any(page is None for page in pages):
        missing = next(k for k, page in enumerate(pages) if page is None)
        raise InputError(f"expected every page of '{path.name}', got none for page {missing}")
    with Spool(path.name) as spool:
        for page in pages:
            image = _decoded(path, page)
            spool.add(image.astype(np.uint8) if image.dtype == bool else image)
        return spool.frames().reshape(series.shape)
