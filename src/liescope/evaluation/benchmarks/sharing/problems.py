"""Labelled images that were moved along known fields by SciPy: few to learn from, many to test on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import linalg, ndimage
from torch import Tensor

from liescope.data import Corpus, load_corpus, resize_images
from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.options import UnavailableError

__all__ = ["MOTIONS", "Motion", "Problem", "make_problem", "moved_by", "pairs_of"]

_LEAST_OF_CLASS = 400
_LARGEST_SIDE = 32
_MOST_TEST = 5000

Field = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Motion:
    """How every image was moved: along each field by its own t, uniform to either side.

    Parameters
    ----------
    fields : tuple
        Coefficients of the affine basis (d/dx, x d/dx, y d/dx, d/dy, x d/dy, y d/dy).
    reach : float
        Largest t.
    scheme : str
        The family that shares weights along these fields, by its name; the chosen one where there is none.
    wrong : str
        One that does not.
    """

    fields: tuple[Field, ...]
    reach: float
    scheme: str = ""
    wrong: str = "rotation"


MOTIONS: Mapping[str, Motion] = {
    "rotated": Motion(((0, 0, -1, 0, 1, 0),), np.pi, "rotation", "scale"),
    "rotated-60": Motion(((0, 0, -1, 0, 1, 0),), np.pi / 3, "rotation", "scale"),
    "shifted": Motion(((1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0, 0)), 0.45, "translation"),
    "scaled": Motion(((0, 1, 0, 0, 0, 1),), 0.5, "scale"),
    "sheared": Motion(((0, 0, 1, 0, 0, 0),), 0.8, "shear"),
    "sheared-y": Motion(((0, 0, 0, 0, 1, 0),), 0.8, "shear-y"),
    "squeezed": Motion(((0, 1, 0, 0, 0, -1),), 0.5, "hyperbolic"),
    "diagonal": Motion(((0, 0, 1, 0, 1, 0),), 0.5, "hyperbolic-diagonal"),
    "stretched": Motion(((0, 1, 0, 0, 0, 0),), 0.6, "scale-x"),
    "shifted-x": Motion(((1, 0, 0, 0, 0, 0),), 0.4, "translation-x"),
    "off-centre": Motion(((0.3, 0, -1, 0.2, 1, 0),), np.pi / 3),
    "spiral": Motion(((0, 0.5, -1, 0, 1, 0.5),), np.pi / 4),
    "rotated-scaled": Motion(((0, 0, -1, 0, 1, 0), (0, 1, 0, 0, 0, 1)), 0.5, "rotation+scale", "shear"),
    "upright": Motion((), 0.0, "shear"),
    "as-they-are": Motion((), 0.0, "rotation", "shear"),
}
"""Motions by name; images that lie in every direction by themselves, such as galaxies, are left as they are."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Images of unit spread and background 0, with numbers of classes."""

    images: Float[Tensor, "n c h w"]
    labels: Int[Tensor, " n"]
    test_images: Float[Tensor, "m c h w"]
    test_labels: Int[Tensor, " m"]
    classes: int


def make_problem(motion: str, labels: int, seed: int, corpus: str | None = None, most: int = _MOST_TEST) -> Problem:
    """So many labelled images, of every class as many, and others to test on, ``most`` at most.

    Classes of fewer than 400 images are left out, as far as two are left.

    Raises
    ------
    InputError
        An unknown motion, a corpus without labels.
    UnavailableError
        Too few images of some class to learn from and to test on.
    """
    if motion not in MOTIONS:
        raise InputError(f"unknown motion {motion!r}.{suggest(motion, MOTIONS)}")
    found = load_corpus(corpus or "mnist-5k")
    numbers = _numbers(found)
    rng = np.random.default_rng(seed)
    classes = int(numbers.max()) + 1
    each, each_test = -(-labels // classes), -(-most // classes)
    train, test = [], []
    for number in range(classes):
        rows = rng.permutation(np.flatnonzero(numbers == number))
        if len(rows) <= each:
            raise UnavailableError(f"{labels} labels need more than {each} images of every class, not {len(rows)}")
        train.append(rows[:each])
        test.append(rows[each : each + each_test])
    order = rng.permutation(np.concatenate(train))[:labels]
    others = np.concatenate(test)
    images = _images(found, np.concatenate([order, others]))
    # Of a random part of all: the images to learn from are moved by the same draws whatever is tested on.
    moved = moved_by(MOTIONS[motion], images, rng)
    tensor = torch.as_tensor(moved)
    tensor = tensor / tensor[: len(order)].std()
    own = torch.as_tensor(numbers)
    return Problem(tensor[: len(order)], own[order], tensor[len(order) :], own[others], classes)


def pairs_of(motion: str, count: int, seed: int, corpus: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images without labels and the same ones moved, shape (n, H, W) or (n, C, H, W)."""
    found = load_corpus(corpus or "mnist-5k")
    rng = np.random.default_rng(seed)
    images = _images(found, rng.permutation(len(found.images))[:count])
    moved = moved_by(MOTIONS[motion], images, rng)
    return (images[:, 0], moved[:, 0]) if images.shape[1] == 1 else (images, moved)


def moved_by(
    motion: Motion, images: Float[np.ndarray, "n c h w"], rng: np.random.Generator
) -> Float[np.ndarray, "n c h w"]:
    """Every image moved along the fields of a motion, by linear interpolation."""
    if not motion.fields:
        return images
    height, width = images.shape[2:]
    half = max(height, width) / 2
    # (row, column, 1) to (x, y, 1): the centre is the origin, y points up, the longest side spans [-1, 1].
    place = np.array(
        [[0, 1 / half, -(width - 1) / 2 / half], [-1 / half, 0, (height - 1) / 2 / half], [0, 0, 1]], dtype=float
    )
    moved = np.empty_like(images)
    for number, image in enumerate(images):
        t = rng.uniform(-motion.reach, motion.reach, size=len(motion.fields))
        (a, b, c, d, e, f) = np.asarray(motion.fields).T @ t
        back = linalg.inv(place) @ linalg.expm(-np.array([[b, c, a], [e, f, d], [0, 0, 0]])) @ place
        for channel, plane in enumerate(image):
            moved[number, channel] = ndimage.affine_transform(plane, back[:2, :2], offset=back[:2, 2], order=1)
    return moved


def _numbers(corpus: Corpus) -> np.ndarray:
    """Classes from 0, those with enough images; -1 for images of others."""
    if corpus.labels is None:
        raise InputError(f"expected a corpus with labels, got {corpus.name} without")
    classes, numbers, counts = np.unique(np.asarray(corpus.labels), return_inverse=True, return_counts=True)
    large = np.flatnonzero(counts >= _LEAST_OF_CLASS)
    kept = large if len(large) > 1 else np.arange(len(classes))
    place = np.full(len(classes), -1)
    place[kept] = np.arange(len(kept))
    return np.asarray(place[numbers])


def _images(corpus: Corpus, rows: np.ndarray) -> Float[np.ndarray, "n c h w"]:
    """Images of a corpus as float32 with channels, 32 pixels a side at most."""
    sorted_rows, back = np.unique(rows, return_inverse=True)
    images = np.asarray(corpus.images[sorted_rows], dtype=np.float32)[back] / 255
    images = images if images.ndim == 4 else images[:, None]
    side = max(images.shape[2:])
    if side > _LARGEST_SIDE:
        share = _LARGEST_SIDE / side
        images = resize_images(images, (round(share * images.shape[2]), round(share * images.shape[3])))
    return np.ascontiguousarray(images, dtype=np.float32)
