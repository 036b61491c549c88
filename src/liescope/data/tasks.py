"""The paper's tasks: pairs of images related by a known transform of unknown size.

``symnist`` and ``galaxsym`` pair an image with a transformed copy of itself; the Super variants pair it with
a transformed copy of *another* image of the same label. Transforms act on the full image or a larger canvas,
then the centre is cropped and resized. Everything is drawn from one seed and the same seed gives the same
bytes, whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.corpora import Corpus, load_corpus
from liescope.data.frame import Frame
from liescope.data.generation import Recipe, generate
from liescope.data.laws import parse_laws
from liescope.data.magnitudes import Law
from liescope.data.pairs import Pairs
from liescope.data.transforms import TRANSFORMS, Transform, parse_transforms
from liescope.data.warp import BORDERS, interpolation_name, spline_order
from liescope.errors import InputError, suggest

__all__ = ["TASKS", "Task", "make_pairs", "pairs_from"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Task:
    """A named way to make pairs.

    Parameters
    ----------
    corpus : str
        The corpus used where none is asked for.
    super_pairs : bool
        Whether the target's root is another image of the same label.
    crops : bool
        Whether, unless told otherwise, only the middle half of the image is kept after the transform.
    """

    corpus: str
    super_pairs: bool
    crops: bool


TASKS = {
    "symnist": Task("mnist-5k", super_pairs=False, crops=False),
    "supersymnist": Task("mnist-5k", super_pairs=True, crops=False),
    "galaxsym": Task("galaxy10-decals", super_pairs=False, crops=True),
    "supergalaxsym": Task("galaxy10-decals", super_pairs=True, crops=True),
}
"""The paper's tasks by name: their corpus, whether pairs have different roots, whether borders are cropped off."""

_MOST_NOISE = 1e30
"""More than this does not fit into single precision."""

LARGEST_GALAXY = 64
"""Galaxies are resized to at most this side (pixels) unless told otherwise."""


def make_pairs(
    task: str = "symnist",
    transform: str | Transform | Sequence[str | Transform] = "rotation",
    range: float | Sequence[float] | None = None,
    law: str | float | Law | Sequence[str | float | Law] = "uniform",
    pairs: int = 5000,
    order: int | str = 1,
    corpus: str | Path | Corpus | None = None,
    seed: int = 0,
    centre: Sequence[float] | None = None,
    noise: float = 0.0,
    border: str = "zero",
    canvas: int | Sequence[int] | None = None,
    crop: int | Sequence[int] | None = None,
    size: int | Sequence[int] | None = None,
    split: str | None = None,
    data_dir: str | Path | None = None,
    workers: int | None = None,
    scratch: str | Path | None = None,
    progress: Progress | None = None,
) -> Pairs:
    """Make the pairs of one of the paper's tasks, with a known answer.

    Parameters
    ----------
    task : str
        One of ``TASKS``: ``symnist``, ``supersymnist``, ``galaxsym``, ``supergalaxsym``. ``super``: the images of a
        pair are different ones of a class.
    transform : str, Transform, or a sequence of them
        ``rotation``, ``scale``, ``translation-x``, ... (``TRANSFORMS``); several joined by ``+`` are applied from
        left to right, with independent magnitudes and one resampling.
    range : float or sequence of float, optional
        Half-width of the magnitudes in natural units (degrees, log-factor, pixels, plain), one per transform.
    law : str, float, Law, or one of them per transform
        Of the magnitudes: ``uniform``, ``normal``, ``five-modal``, ``uniform:-10,80``, ... (``LAWS``).
    pairs : int
        Number of pairs; images are repeated, with new magnitudes, where there are fewer.
    order : int or str
        Spline order of the interpolation: 0 ``nearest``, 1 ``linear``, 3 ``cubic``.
    corpus : str, path or Corpus, optional
        A corpus name, an ``.npz``, a folder of images, or a loaded corpus; default the task's own.
    split, data_dir
        Passed to :func:`liescope.data.load_corpus`: the part of the corpus, and where what is fetched is kept.
    seed : int
        The only source of randomness.
    centre : (column, row), optional
        Fixed point of rotation, scale, spiral, ... in pixels of the final image; default its true centre.
    noise : float
        Standard deviation of Gaussian noise added to both images, as a fraction of the grey range.
    border : {"zero", "edge", "periodic"}
        What lies beyond the canvas.
    canvas, crop, size : int or (rows, columns), optional
        Pad before the transform, crop and resize after it, in pixels. The galaxy tasks crop to the middle half and
        resize to at most 64 pixels unless told otherwise, so that no border enters the picture.
    workers, scratch, progress
        As in :func:`pairs_from`.

    Returns
    -------
    Pairs
        float32 images in [0, 1], shape (pairs, h, w); ``magnitude`` in units of t and ``natural_magnitude`` in natural
        ones, shape (pairs, K).

    Raises
    ------
    InputError
        Unknown task, transform, law or corpus (with did-you-mean), and all that :func:`pairs_from` refuses.

    Examples
    --------
    >>> pairs = make_pairs(transform="rotation+scale", range=[30, 0.2], pairs=50)
    >>> pairs.source.shape, pairs.natural_magnitude.shape, pairs.meta["unit"]
    ((50, 28, 28), (50, 2), ['degree', 'log-factor'])
    """
    if task not in TASKS:
        raise InputError(f"unknown task {task!r}.{suggest(task, TASKS)}")
    recipe = TASKS[task]
    images = corpus if isinstance(corpus, Corpus) else load_corpus(corpus or recipe.corpus, split, data_dir)
    if recipe.crops and canvas is None and crop is None:
        crop = tuple(_middle_half(n) for n in images.images.shape[-2:])
        if size is None:
            size = min(max(crop), LARGEST_GALAXY) if crop[0] == crop[1] else None
    return pairs_from(
        images,
        transform=transform,
        range=range,
        law=law,
        pairs=pairs,
        order=order,
        seed=seed,
        centre=centre,
        noise=noise,
        border=border,
        canvas=canvas,
        crop=crop,
        size=size,
        super_pairs=recipe.super_pairs,
        task=task,
        workers=workers,
        scratch=scratch,
        progress=progress,
    )


def _middle_half(side: int) -> int:
    """About half of a side, of the same parity, so that the centre stays the centre."""
    half = (side + 1) // 2
    return half + (side - half) % 2


def pairs_from(
    images: Any,
    labels: np.ndarray | None = None,
    *,
    transform: str | Transform | Sequence[str | Transform] = "rotation",
    range: float | Sequence[float] | None = None,
    law: str | float | Law | Sequence[str | float | Law] = "uniform",
    pairs: int | None = None,
    order: int | str = 1,
    seed: int = 0,
    centre: Sequence[float] | None = None,
    noise: float = 0.0,
    border: str = "zero",
    canvas: int | Sequence[int] | None = None,
    crop: int | Sequence[int] | None = None,
    size: int | Sequence[int] | None = None,
    super_pairs: bool = False,
    task: str = "pairs",
    workers: int | None = None,
    scratch: str | Path | None = None,
    progress: Progress | None = None,
) -> Pairs:
    """Make pairs from any images.

    Parameters
    ----------
    images : Corpus, array or lazy stack, shape (N, H, W) or (N, C, H, W)
        Integers are scaled by the largest value of their type; floats outside [0, 1] by the range of all
        images.
    labels : array of int, shape (N,), optional
        Needed for ``super_pairs`` unless a Corpus with labels is given.
    transform : str, Transform, or a sequence of them
        Names joined by ``+`` are applied left to right, with independent magnitudes and one resampling.
    range : float or sequence of float, optional
        Half-width of the magnitudes in natural units (degrees, log-factor, pixels, plain), one per transform.
    law : str, float, Law, or one of them per transform
        See ``LAWS``. Laws that state their own numbers do not use ``range``.
    pairs : int, optional
        Number of pairs; images are repeated, with new magnitudes, where there are fewer. Default one per
        image.
    order : int or str
        Spline order of the interpolation: 0 ``nearest``, 1 ``linear``, 3 ``cubic``.
    seed : int
        The only source of randomness.
    centre : (column, row), optional
        Fixed point of rotation, scale, spiral, ... in pixels of the final image; default its true centre.
    noise : float
        Standard deviation of Gaussian noise added to both images, as a fraction of the grey range. Noisy
        images are not cut back to [0, 1].
    border : str
        ``zero``, ``edge`` or ``periodic``: what lies beyond the canvas.
    canvas, crop, size : int or (rows, columns), optional
        See :class:`liescope.data.frame.Frame`.
    super_pairs : bool
        Take each target's root from another image with the same label.
    task : str
        Name written to the meta data.
    workers : int, optional
        Threads; default up to four. It does not change the result.
    scratch : path, optional
        Folder for memory-mapped source and target, where the set should not lie in memory.
    progress : callable, optional
        Called with (pairs done, pairs in all).

    Returns
    -------
    Pairs
        float32 images in [0, 1], shape (pairs, h, w) or (pairs, C, h, w); magnitudes in units of t.

    Raises
    ------
    InputError
        Unknown names, wrong counts, label-less Super task, wrong rank, a transform that empties the canvas.
    """
    corpus = images if isinstance(images, Corpus) else Corpus(images, labels, (), "user", "")
    shape = tuple(corpus.images.shape)
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise InputError(f"expected images of shape (N, H, W) or (N, C, H, W), got {shape}")
    count = shape[0] if pairs is None else int(pairs)
    if count < 1:
        raise InputError(f"expected at least one pair, got {count}")
    if not 0 <= noise <= _MOST_NOISE:
        raise InputError(f"expected a noise level >= 0 as a fraction of the grey range, got {noise}, try 0.1")
    if border not in BORDERS:
        raise InputError(f"unknown border {border!r}.{suggest(border, BORDERS)}")
    if int(seed) != seed or seed < 0:
        raise InputError(f"expected a seed that is a whole number >= 0, got {seed}")
    number = spline_order(order)
    frame = Frame.of(shape[-2:], canvas, crop, size)
    transforms = parse_transforms(transform, frame, centre)
    laws = parse_laws(law, _half_widths(range, transforms))
    recipe = Recipe(frame, transforms, laws, number, border, float(noise), int(seed), super_pairs)
    source, target, magnitude, root = generate(corpus, recipe, count, workers, scratch, progress)
    meta = {
        "task": task,
        "corpus": corpus.name,
        **_truth(transforms),
        "law": [one.text for one in laws],
        "interpolation": interpolation_name(number),
        "seed": int(seed),
        "pairs": count,
        "centre_px": None if centre is None else [float(c) for c in centre],
        "noise": float(noise),
        "border": border,
        "canvas": list(frame.canvas),
        "crop": list(frame.crop),
        "size": list(frame.size),
        "super_pairs": super_pairs,
        "label_names": list(corpus.label_names),
        "credit": corpus.credit,
    }
    labels_of = None if corpus.labels is None else np.asarray(corpus.labels)[root]
    return Pairs(source, target, magnitude, labels_of, meta)


def _half_widths(value: float | Sequence[float] | None, transforms: Sequence[Transform]) -> list[float]:
    if value is None:
        return [TRANSFORMS.get(t.name, 0.3 / t.norm) for t in transforms]
    widths = [float(value)] if isinstance(value, int | float | np.number) else [float(v) for v in value]
    if len(widths) == 1 and len({t.unit for t in transforms}) == 1:
        widths = widths * len(transforms)
    if len(widths) != len(transforms):
        units = ", ".join(f"{t.name} in {t.unit}s" if t.unit != "plain" else t.name for t in transforms)
        raise InputError(f"expected one range per transform ({units}), got {len(widths)}")
    for width in widths:
        if not (np.isfinite(width) and width >= 0):
            raise InputError(f"expected finite ranges >= 0, got {widths}")
    return widths


def _truth(transforms: Sequence[Transform]) -> dict[str, Any]:
    """The generators as files keep them: in one basis, the smallest that holds them all."""
    degree = max(t.degree for t in transforms)
    monomials = (degree + 1) * (degree + 2) // 2
    generators = []
    for t in transforms:
        components = np.zeros((2, monomials))
        components[:, : len(t.coefficients) // 2] = t.unit_coefficients.reshape(2, -1)
        generators.append([float(c) for c in components.ravel()])
    return {
        "transform": "+".join(t.name for t in transforms),
        "basis": next(t.basis for t in transforms if t.degree == degree),
        "generators": generators,
        "unit": [t.unit for t in transforms],
        "unit_per_t": [float(t.unit_per_t) for t in transforms],
    }
