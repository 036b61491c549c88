"""One function for each library: from a result to an object of that library. Each is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from liescope.errors import InputError, require_packages
from liescope.handover import matrices
from liescope.handover.magnitudes import LawLike, Magnitudes
from liescope.handover.moving import Sampling
from liescope.handover.transformation import Found, handed_over, planar

__all__ = ["LIBRARIES", "albumentations", "emlp", "escnn", "kornia", "sklearn", "torchvision"]

Range = float | Sequence[float] | None
_EVERY_ANGLE = -1


def _library(name: str, own: str = "") -> Any:
    """The package, or one of its or our modules that needs it; every failure to import it is one line."""
    require_packages(name)
    try:
        package = importlib.import_module(name)
        return importlib.import_module(own) if own else package
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        advice = f"try a version of {name} for what is installed beside it"
        raise InputError(f"expected {name} to be imported, got {told}, {advice}") from None


def torchvision(
    found: Found,
    *,
    law: LawLike = None,
    range: Range = None,
    interpolation: str = "linear",
    border: str = "zero",
    fill: float | Sequence[float] | None = None,
    mask_fill: float = 0,
    generator: torch.Generator | None = None,
) -> Any:
    """A ``torchvision.transforms.v2.Transform`` that moves a sample by one random t.

    Images (``Image``, ``Video``, PIL, plain tensors) as :meth:`liescope.SymmetryResult.transform` moves them, ``Mask``
    by nearest pixels, ``KeyPoints`` by the exact flow, ``BoundingBoxes`` to the smallest upright ones around their
    moved corners.

    Parameters
    ----------
    found : SymmetryResult or Transformation
    law, range
        Where t is drawn from, in natural units (degrees, ...): by default from the magnitudes of the accepted pairs,
        else text as of ``liescope make --law`` and its half-width, one for all generators or one for each.
    interpolation : {"linear", "cubic"}
    border : {"zero", "edge", "periodic"}
        What comes in from outside: ``fill``, the nearest pixel, or the image again.
    fill : float or sequence of floats, optional
        Grey values outside, in the scale of the images at hand; by default the background that was learnt.
    mask_fill : float
        The label outside.
    generator : torch.Generator, optional
        Instead of torch's own, which ``torch.manual_seed`` sets and loaders set for their workers.

    Raises
    ------
    InputError
        No accepted generator, no result of images, unknown options, no torchvision.
    """
    transformation, sampling = planar(found), Sampling(interpolation, border, fill, mask_fill)
    magnitudes = Magnitudes(transformation, law, range)
    home = _library("torchvision", "liescope.handover.for_torchvision")
    return home.TorchvisionTransform(transformation, magnitudes, sampling, generator)


def kornia(
    found: Found,
    *,
    law: LawLike = None,
    range: Range = None,
    interpolation: str = "linear",
    border: str = "zero",
    fill: float | Sequence[float] | None = None,
    mask_fill: float = 0,
    generator: torch.Generator | None = None,
    p: float = 1.0,
    same_on_batch: bool = False,
    keepdim: bool = False,
) -> Any:
    """A ``kornia.augmentation`` module that moves every image of a batch by its own random t.

    A geometric augmentation: alone, or in ``AugmentationSequential`` with masks (nearest), keypoints and boxes.
    Differentiable in the images, on any device. Affine fields have a ``transform_matrix`` of 3 x 3 in pixels; others
    have none, and keypoints and boxes follow the flow.

    Parameters
    ----------
    found, law, range, interpolation, border, fill, mask_fill, generator
        As of :func:`torchvision`.
    p, same_on_batch, keepdim
        As of all augmentations of kornia.

    Raises
    ------
    InputError
        As :func:`torchvision`.
    """
    transformation, sampling = planar(found), Sampling(interpolation, border, fill, mask_fill)
    magnitudes = Magnitudes(transformation, law, range)
    home = _library("kornia", "liescope.handover.for_kornia")
    return home.KorniaAugmentation(
        transformation, magnitudes, sampling, generator, p=p, same_on_batch=same_on_batch, keepdim=keepdim
    )


def albumentations(
    found: Found,
    *,
    law: LawLike = None,
    range: Range = None,
    interpolation: str = "linear",
    border: str = "zero",
    fill: float | Sequence[float] | None = None,
    mask_fill: float = 0,
    p: float = 1.0,
) -> Any:
    """An ``albumentations.DualTransform`` that moves image, masks, boxes and keypoints by one random t.

    t follows the seed of the ``Compose`` that it is in, or ``set_random_seed``. It can be pickled, and written by
    ``albumentations.to_dict`` where ``law`` is text or None. The angle and the scale of keypoints stay as they are.

    Parameters
    ----------
    found, law, range, interpolation, border, fill, mask_fill
        As of :func:`torchvision`.
    p : float
        Probability of moving at all.

    Raises
    ------
    InputError
        As :func:`torchvision`.
    """
    transformation, sampling = planar(found), Sampling(interpolation, border, fill, mask_fill)
    Magnitudes(transformation, law, range)
    home = _library("albumentations", "liescope.handover.for_albumentations")
    return home.AlbumentationsTransform(transformation, law, range, **vars(sampling), p=p)


def sklearn(
    found: Found,
    *,
    t: float | Sequence[float] | np.ndarray | None = None,
    law: LawLike = None,
    range: Range = None,
    image_shape: Sequence[int] | None = None,
    interpolation: str = "linear",
    border: str = "zero",
    fill: float | Sequence[float] | None = None,
    random_state: Any = None,
) -> Any:
    """A scikit-learn transformer of images, (n, H, W), (n, C, H, W) or flattened: for pipelines.

    Parameters
    ----------
    found, law, range, interpolation, border, fill
        As of :func:`torchvision`.
    t : float or sequence of K floats, optional
        Move all images by this t, in units of the unit-norm generators; by default each by its own draw.
    image_shape : (H, W) or (C, H, W), optional
        Of flattened images; by default of those that were learnt from.
    random_state : int, numpy.random.RandomState or None
        An int draws the same t whenever ``transform`` is called.

    Raises
    ------
    InputError
        As :func:`torchvision`; shapes that do not fit are told by ``fit``.
    """
    transformation = planar(found)
    Sampling(interpolation, border, fill)
    if t is None:
        Magnitudes(transformation, law, range)
    home = _library("sklearn", "liescope.handover.for_sklearn")
    return home.SymmetryTransformer(
        transformation,
        t=t,
        law=law,
        range=range,
        image_shape=image_shape,
        interpolation=interpolation,
        border=border,
        fill=fill,
        random_state=random_state,
    )


def emlp(found: Found, *, clean: bool = True) -> Any:
    """An ``emlp.groups.Group`` with the found ``lie_algebra``, acting on points (x, y, ..., 1).

    :func:`liescope.handover.lie_algebra` has the same matrices without emlp, and says in which coordinates they are.
    Warns where a generator has a trace (scaling).

    Parameters
    ----------
    found : SymmetryResult or Transformation
        In any number of coordinates, in an affine basis.
    clean : bool
        Take generators in simple ratios where the result knows them.

    Raises
    ------
    InputError
        No accepted generator, a basis with other than affine fields, no emlp.
    """
    algebra = matrices.lie_algebra(handed_over(found), clean=clean)
    return _library("emlp", "liescope.handover.for_emlp").FoundGroup(algebra)


def escnn(found: Found, N: int = 16) -> Any:
    """The ``escnn`` space of pictures with N rotations about their centre, ``gspaces.rot2dOnR2(N)``.

    Parameters
    ----------
    found : SymmetryResult or Transformation
        One rotation about the image's centre.
    N : int
        Number of rotations in a full turn; -1 for all of them.

    Raises
    ------
    InputError
        Anything but one rotation, one whose centre is elsewhere (recentre the images there first) or whose orbits are
        ellipses, another N, no escnn.
    """
    matrices.check_central_rotation(found)
    if isinstance(N, bool) or not (N > 1 or N == _EVERY_ANGLE):
        raise InputError(f"expected N of at least 2 rotations, or -1 for all, got {N}")
    return _library("escnn", "escnn.gspaces").rot2dOnR2(N)


LIBRARIES = {one.__name__: one for one in (torchvision, kornia, albumentations, emlp, escnn, sklearn)}
"""What can be handed over to, by name."""
