"""From images and a recipe to pairs: drawn up front, rendered in independent chunks."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from liescope.data.checks import chunks
from liescope.data.corpora import Corpus
from liescope.data.frame import Frame
from liescope.data.guard import quoted
from liescope.data.magnitudes import Law
from liescope.data.transforms import Transform
from liescope.data.warp import warp_images
from liescope.errors import InputError, require_memory

__all__ = ["Recipe", "generate"]

# One random stream per purpose, so that, say, adding noise does not change the magnitudes.
_ROOTS, _MAGNITUDES, _PARTNERS, _NOISE = range(4)

CHUNK_PIXELS = 1 << 18
LARGEST_CHUNK = 256
FIRST_LOOK = 64

_DRAWN_BYTES = 64
"""Of a pair and a transform: magnitudes, roots, partners."""
_WARPING_BYTES = 400
"""Of a pixel of the canvas: coordinates and what is made of them, in four threads."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the bytes of a set of pairs besides the images: see :func:`pairs_from`."""

    frame: Frame
    transforms: tuple[Transform, ...]
    laws: tuple[Law, ...]
    order: int
    border: str
    noise: float
    seed: int
    super_pairs: bool

    def positions(self, parameters: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "2 n p"]:
        """Where on the canvas, as (row, column), every pixel of a transformed image takes its value.

        (exp(bB) exp(aA) I)(p) = I(phi^A_{-a}(phi^B_{-b}(p))): the last transform is undone first.
        """
        points = self.frame.points()
        for k in reversed(range(len(self.transforms))):
            points = self.transforms[k].flow(points, -parameters[:, k])
        return self.frame.to_canvas(points)


def generate(
    corpus: Corpus,
    recipe: Recipe,
    count: int,
    workers: int | None = None,
    scratch: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Int[np.ndarray, " n"]]:
    """Render ``count`` pairs.

    Returns
    -------
    source, target : array of float32, shape (count, h, w) or (count, C, h, w)
    magnitude : array, shape (count, K)
        In units of the unit-norm generators.
    root : array of int, shape (count,)
        Index in the corpus of each source image.
    """
    channels = corpus.images.shape[1:-2]
    shape = (count, *channels, *recipe.frame.size)
    _check_memory(shape, recipe, mapped=scratch is not None)
    stream = [np.random.default_rng([recipe.seed, purpose]) for purpose in range(3)]
    root = _roots(stream[_ROOTS], len(corpus), count)
    partner = _partners(stream[_PARTNERS], corpus, root) if recipe.super_pairs else root
    with np.errstate(all="ignore"):
        natural = np.stack([law.sample(stream[_MAGNITUDES], count) for law in recipe.laws], axis=-1)
        parameters = natural * [t.parameter_per_unit for t in recipe.transforms]
        magnitude = natural / [t.unit_per_t for t in recipe.transforms]
    _check_finite("magnitudes", recipe, natural, parameters, magnitude)

    scale = _grey_scale(corpus.images)
    source, target = (_allocate(name, shape, scratch) for name in ("source", "target"))
    step = int(np.clip(CHUNK_PIXELS // np.prod(recipe.frame.canvas), 1, LARGEST_CHUNK))
    starts = list(range(0, count, step))
    _check_content(scale(corpus.images, partner[:FIRST_LOOK]), parameters[:FIRST_LOOK], recipe)

    def render(chunk: int) -> int:
        # What overflows is looked for in what comes out; threads have an error state of their own.
        with np.errstate(all="ignore"):
            return rendered(chunk)

    def rendered(chunk: int) -> int:
        part = slice(starts[chunk], min(starts[chunk] + step, count))
        images = scale(corpus.images, root[part])
        others = scale(corpus.images, partner[part]) if recipe.super_pairs else images
        placed = recipe.frame.place(others)
        positions = recipe.positions(parameters[part])
        _check_finite("positions", recipe, positions)
        warped = warp_images(placed, positions, recipe.order, recipe.border)
        finished = [recipe.frame.finish(recipe.frame.place(images)), recipe.frame.finish(warped)]
        if recipe.noise:
            rng = np.random.default_rng([recipe.seed, _NOISE, chunk])
            finished = [f + np.float32(recipe.noise) * rng.standard_normal(f.shape, dtype=np.float32) for f in finished]
        _check_finite("pixels", recipe, *finished)
        for whole, piece in zip((source, target), finished, strict=True):
            whole[part] = piece.reshape(piece.shape[0], *shape[1:])
        return part.stop

    for done in _in_order(render, len(starts), workers):
        if progress is not None:
            progress(done, count)
    return source, target, magnitude, root


def _check_memory(shape: tuple[int, ...], recipe: Recipe, *, mapped: bool) -> None:
    count, canvas = shape[0], math.prod(recipe.frame.canvas)
    pairs = 0 if mapped else 2 * 4 * math.prod(shape)
    needed = pairs + _DRAWN_BYTES * count * len(recipe.transforms) + _WARPING_BYTES * canvas
    told = f"{count} pairs of {'x'.join(map(str, shape[1:]))} images"
    require_memory(needed, told, "fewer pairs or smaller images" if pairs else "fewer pairs or a smaller canvas")


def _check_finite(what: str, recipe: Recipe, *arrays: np.ndarray) -> None:
    if all(np.isfinite(array).all() for array in arrays):
        return
    names = "+".join(t.name for t in recipe.transforms)
    laws = " + ".join(law.text for law in recipe.laws)
    raise InputError(
        f"expected finite {what}, got NaN or infinite ones of {quoted(names)} with law {quoted(laws)} and noise "
        f"{recipe.noise:g}, try a smaller range or less noise"
    )


def _in_order(render: Callable[[int], int], count: int, workers: int | None) -> Iterator[int]:
    """Results of ``render(0), render(1), ...`` in order, computed by threads."""
    threads = min(4, os.cpu_count() or 1) if workers is None else int(workers)
    if threads < 1:
        raise InputError(f"expected at least one worker, got {workers}")
    if threads == 1:
        yield from map(render, range(count))
        return
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(render, range(count))
    finally:
        pool.shutdown(cancel_futures=True)


def _roots(rng: np.random.Generator, images: int, count: int) -> np.ndarray:
    """Every image once, in random order, before any is used again."""
    rounds = -(-count // images)
    return np.concatenate([rng.permutation(images) for _ in range(rounds)])[:count]


def _partners(rng: np.random.Generator, corpus: Corpus, root: np.ndarray) -> np.ndarray:
    """For each root another image, at random, with the same label."""
    if corpus.labels is None:
        raise InputError(
            f"expected labels for a Super task, got corpus {corpus.name!r} without any, "
            "try the task without 'super' or a corpus with labels"
        )
    labels = np.asarray(corpus.labels)
    if labels.shape != (len(corpus),):
        raise InputError(f"expected one label for each of the {len(corpus)} images, got shape {labels.shape}")
    partner = np.empty_like(root)
    for label in np.unique(labels[root]):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise InputError(f"expected at least two images of every label, got one of label {label}")
        here = np.flatnonzero(labels[root] == label)
        place = np.searchsorted(members, root[here])
        partner[here] = members[(place + rng.integers(1, len(members), len(here))) % len(members)]
    return partner


def _grey_scale(images: Any) -> Callable[[Any, np.ndarray], np.ndarray]:
    """How to read images at given indices as float32 (n, C, H, W) in [0, 1]."""
    dtype = np.dtype(images.dtype)
    if dtype.kind in "iu":
        low, high = 0.0, float(np.iinfo(dtype).max)
    elif dtype.kind == "f":
        extremes = [(float(np.min(part)), float(np.max(part))) for part in (images[s] for s in chunks(images))]
        low, high = min(e[0] for e in extremes), max(e[1] for e in extremes)
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InputError("expected finite pixels in the corpus, got NaN or infinite ones")
        if low >= 0 and high <= 1:
            low, high = 0.0, 1.0
    elif dtype.kind == "b":
        low, high = 0.0, 1.0
    else:
        raise InputError(f"expected real or integer pixels in the corpus, got dtype {dtype}")

    def read(stack: Any, index: np.ndarray) -> np.ndarray:
        chosen = np.asarray(stack[index], dtype=np.float32)
        if (low, high) != (0.0, 1.0):
            chosen = (chosen - np.float32(low)) / np.float32(high - low or 1.0)
        return chosen[:, None] if chosen.ndim == 3 else chosen

    return read


def _allocate(name: str, shape: tuple[int, ...], scratch: str | Path | None) -> np.ndarray:
    if scratch is None:
        return np.empty(shape, dtype=np.float32)
    try:
        handle, path = tempfile.mkstemp(prefix=f".{name}.", suffix=".npy", dir=scratch)
    except OSError as error:
        raise InputError(f"expected a scratch folder that can be written, got '{scratch}' ({error.strerror})") from None
    os.close(handle)
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    # The file lives as long as its mapping.
    os.unlink(path)
    return mapped


def _check_content(images: np.ndarray, parameters: np.ndarray, recipe: Recipe) -> None:
    """Refuse, before the long work, a transform that empties most of the first targets."""
    if recipe.border == "periodic":
        return
    placed = recipe.frame.place(images)
    with np.errstate(all="ignore"):
        positions = recipe.positions(parameters)
    _check_finite("positions", recipe, positions)
    warped = warp_images(placed, positions, recipe.order, recipe.border)
    before, after = np.ptp(placed, axis=(1, 2, 3)), np.ptp(recipe.frame.finish(warped), axis=(1, 2, 3))
    content = before > 0
    empty = content & (after < 0.01 * before)
    if content.any() and empty.sum() > 0.5 * content.sum():
        names = "+".join(t.name for t in recipe.transforms)
        share = 100 * empty.sum() / content.sum()
        raise InputError(
            f"expected content to stay on the canvas, got {share:.0f} % of the targets emptied by {names} "
            f"with law {' + '.join(law.text for law in recipe.laws)}, try a smaller range or a larger canvas"
        )
