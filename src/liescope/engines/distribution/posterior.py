"""Magnitudes of single images under a law that is known: which of its magnitudes makes an image one of the sources.

The image of a pair is moved back by every magnitude of the law; the more sources like it are found there, the more
likely the magnitude: t of y has the weights sum_j exp(-|z(exp(-t X) y) - z(x_j)|^2 / 2 h^2) over sources x_j, those
that look like the pair's own source where there is one. Mean and standard deviation of these weights are the magnitude
and its error. The width h, and what the errors must be multiplied by to hold, come from sources that are moved by known
magnitudes and measured in the same way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from scipy.optimize import nnls

from liescope.engines.distribution.law import Lattice, quantiles_at
from liescope.engines.distribution.moments import Motion
from liescope.engines.distribution.views import Views

__all__ = ["Library", "Reader", "library_of"]

_MOST = 2000
_NEIGHBOURS = 60
_CALIBRATED = 400
_WIDTHS = (0.1, 0.2, 0.35, 0.6)
"""Of the standard deviation of all components together."""
_LEVELS = {1: 41, 2: 11}
_CHUNK = 250
_SAME = 1e-9
"""Squared distance of components of one image."""


class Library(NamedTuple):
    """Sources that images are compared with: components, shape (n, p), and groups, shape (n,); 0 without labels."""

    z: np.ndarray
    group: np.ndarray


class Reader(NamedTuple):
    """What reads magnitudes off images.

    Attributes
    ----------
    motion : Motion
    coefficients, quantiles : arrays, shape (K, m), (K, q)
    library : Library
    width : float
        h.
    calibration : array, shape (K, 2)
        Squared errors are calibration[:, 0] times the variance of the weights plus calibration[:, 1].
    """

    motion: Motion
    coefficients: np.ndarray
    quantiles: np.ndarray
    library: Library
    width: float
    calibration: np.ndarray

    def read(
        self,
        views: Views,
        index: np.ndarray,
        partners: Float[np.ndarray, "b p"] | None = None,
        groups: Integer[np.ndarray, " b"] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Magnitudes (b, K) of some images, and their standard errors.

        Parameters
        ----------
        partners : array, shape (b, p), optional
            Components of the sources of their pairs; sources like those are looked at, else all.
        groups : array, shape (b,), optional
            Their labels: sources of the same are looked at.
        """
        lattice = Lattice.of(len(self.coefficients), _LEVELS[len(self.coefficients)])
        t = lattice.t(self.quantiles)
        back = self.motion.matrices(-t @ self.coefficients).numpy().astype(np.float64)
        near = self._near(len(index), partners, groups)
        means, errors = [], []
        for start in range(0, len(index), _CHUNK):
            part = slice(start, start + _CHUNK)
            rows = views.rows(index[part]).numpy().astype(np.float64)
            z = np.einsum("bps,ns->nbp", back[..., :-1], rows, optimize=True) + back[..., -1]
            weights = _weights(z, self.library.z, None if near is None else near[part], self.width)
            mean, error = _summary(weights, t)
            means.append(mean)
            errors.append(np.sqrt(self.calibration[:, 0] * np.square(error) + self.calibration[:, 1]))
        return np.concatenate(means), np.concatenate(errors)

    def _near(self, count: int, partners: np.ndarray | None, groups: np.ndarray | None) -> np.ndarray | None:
        if partners is None and groups is None:
            return None
        most = min(_NEIGHBOURS, len(self.library.z))
        found = np.empty((count, most), dtype=int)
        for row in range(count):
            distance = np.zeros(len(self.library.z))
            if partners is not None:
                distance = np.square(self.library.z - partners[row]).sum(axis=1)
                # The pair's own source is another object than that of its target.
                distance[distance < _SAME] = np.inf
            if groups is not None:
                distance = np.where(self.library.group == groups[row], distance, np.inf)
            found[row] = np.argpartition(distance, most - 1)[:most]
        return found


def library_of(
    motion: Motion,
    coefficients: np.ndarray,
    quantiles: np.ndarray,
    views: Views,
    index: np.ndarray,
    groups: np.ndarray,
    seed: int,
    targets: Views | None = None,
) -> Reader:
    """A reader over some of the sources, calibrated on others of them.

    Parameters
    ----------
    index, groups : integer arrays, shape (n,)
        Sources, in an order by chance, and their labels.
    targets : Views, optional
        Of pairs. Two targets that look alike are of one class, and then so are their sources, which are drawn from it
        independently.
    """
    random = np.random.default_rng(seed)
    kept = index[:_MOST]
    z = motion.patterns.of_images(views, kept)
    library = Library(z, groups[:_MOST])
    spread = float(np.sqrt(z.var(axis=0).sum()))
    labelled = bool((library.group != library.group[0]).any())
    chosen = random.permutation(len(kept))[:_CALIBRATED]
    t = np.stack([quantiles_at(own, random.uniform(size=len(chosen))) for own in quantiles], axis=1)
    # Another source of the class is moved; it is left out of what it is compared with.
    alike = None if targets is None else motion.patterns.of_images(targets, kept)
    partner = _others(library, chosen, alike, random)
    lattice = Lattice.of(len(coefficients), _LEVELS[len(coefficients)])
    levels = lattice.t(quantiles)
    moved = _moved_rows(motion, views, kept[partner], t @ coefficients)
    back = motion.matrices(-levels @ coefficients).numpy().astype(np.float64)
    seen = np.einsum("bps,ns->nbp", back[..., :-1], moved, optimize=True) + back[..., -1]
    plain = Reader(motion, coefficients, quantiles, library, 1.0, np.tile([1.0, 0.0], (len(t.T), 1)))
    near = plain._near(
        len(chosen), library.z[chosen] if targets is not None else None, library.group[chosen] if labelled else None
    )
    if near is None:
        near = np.tile(np.arange(len(library.z)), (len(chosen), 1))
    trials = []
    for share in _WIDTHS:
        mean, error = _summary(_weights(seen, library.z, near, share * spread, partner), levels)
        off = np.square(mean - t)
        loss = float((off.mean(axis=0) / np.maximum(t.var(axis=0), 1e-12)).mean())
        trials.append((loss, share * spread, _calibrated(off, np.square(error))))
    _, width, calibration = min(trials, key=lambda one: one[0])
    return plain._replace(width=width, calibration=calibration)


def _calibrated(off: Float[np.ndarray, "n k"], variance: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "k 2"]:
    """What makes squared errors of variances, by generator: a factor and what is added, neither negative."""
    rows = []
    for squared, own in zip(off.T, variance.T, strict=True):
        scale = max(float(own.mean()), 1e-30)
        design = np.stack([own / scale, np.ones(len(own))], axis=1)
        factor, added = nnls(design, squared)[0]
        # An error of exactly nothing is nobody's.
        rows.append((factor / scale, max(added, 0.05 * float(squared.mean()))))
    return np.array(rows)


def _others(
    library: Library, chosen: np.ndarray, targets: np.ndarray | None, random: np.random.Generator
) -> np.ndarray:
    """For every source another one of its class: whose target looks like its own, or any of its label."""
    others = np.empty(len(chosen), dtype=int)
    for row, own in enumerate(chosen):
        if targets is not None:
            distance = np.square(targets - targets[own]).sum(axis=1)
            distance[np.square(library.z - library.z[own]).sum(axis=1) < _SAME] = np.inf
            others[row] = int(distance.argmin())
        else:
            same = np.flatnonzero(library.group == library.group[own])
            others[row] = random.choice(same[same != own] if len(same) > 1 else same)
    return others


def _moved_rows(motion: Motion, views: Views, index: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    rows = motion.moved(views.rows(index), vectors)
    moved: np.ndarray = rows.numpy().astype(np.float64)
    return moved


def _weights(
    z: Float[np.ndarray, "n b p"],
    library: Float[np.ndarray, "l p"],
    near: Integer[np.ndarray, "n j"] | None,
    width: float,
    leave_out: Integer[np.ndarray, " n"] | None = None,
) -> Float[np.ndarray, "n b"]:
    """How likely every magnitude is, summing to 1 over b."""
    if near is None:
        flat = z.reshape(-1, z.shape[-1])
        distance = np.square(flat).sum(axis=1)[:, None] + np.square(library).sum(axis=1) - 2 * flat @ library.T
        distance = distance.reshape(*z.shape[:2], -1)
    else:
        some = library[near]
        distance = np.square(z).sum(axis=2)[:, :, None] + np.square(some).sum(axis=2)[:, None]
        distance -= 2 * np.matmul(z, some.swapaxes(1, 2))
        if leave_out is not None:
            distance = np.where((near == leave_out[:, None])[:, None], np.inf, distance)
    exponent = -distance / (2 * width**2)
    exponent -= exponent.max(axis=(1, 2), keepdims=True)
    found = np.exp(exponent).sum(axis=2)
    found /= found.sum(axis=1, keepdims=True)
    return np.asarray(found)


def _summary(weights: Float[np.ndarray, "n b"], t: Float[np.ndarray, "b k"]) -> tuple[np.ndarray, np.ndarray]:
    mean = weights @ t
    variance = weights @ np.square(t) - np.square(mean)
    return mean, np.sqrt(np.maximum(variance, 0))
