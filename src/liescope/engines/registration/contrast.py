"""The generator of pairs whose two images have different roots: y = exp(tX) x', with x' another object of x's class.

Registering such a pair gives t a and, on top of it, the difference between the two objects. Over pairs,

    Sigma_pairs = var(t) a a' + Sigma_class

and the within-class part may well be the larger one (slant, in handwritten digits). It can be measured without labels.
Two *targets* that look alike are of one class, and whatever their sources are, those were drawn from that class
independently and were not transformed: registering one source onto the other shows Sigma_class alone. The generator
is the direction in which pairs vary most in proportion to that, ``a = Sigma_class g`` with g the leading vector of the
generalised eigenproblem ``Sigma_pairs g = ratio Sigma_class g``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from liescope.algebra import field_gram, fix_gauge
from liescope.engines.pair_set import PairSet, chunk_slices
from liescope.engines.registration.aligner import Aligner
from liescope.engines.registration.span_trials import free_coordinates
from liescope.geometry.fields import Basis

__all__ = ["Contrast", "contrast_generator", "least_pairs"]

_NEIGHBOURS = 6
_SAME = 1e-6  # of its energy: two sources that differ less are one image
_TYLER_ITERATIONS = 60
_RIDGE = 1e-4  # of the mean variance, so that directions that pairs hardly vary in cannot win by chance
_LEAST_VARIANCE = 1e-12
_RESAMPLES = 40
_PERMUTATIONS = 99
_LEVEL = 0.05
_LEAST_PAIRS = 60
_LEAST_RATIO = 1.3
_LARGEST_ERROR_DEG = 25.0
_WILD = 3.0  # robust standard deviations of t


class Contrast(NamedTuple):
    """What pairs vary in beyond their classes.

    Attributes
    ----------
    direction : array, shape (m,)
        The generator, unit norm in the gauge.
    ratio, runner_up : float
        Variance of pairs along it over that within classes, in units of the median over all directions, and the same
        for the next direction; 1 means nothing.
    direction_error_deg : float
        95 % bound of its angle to the direction that more such pairs would give, by bootstrap; the 3 to 10 degrees by
        which that one may differ from the true one are not in it.
    covariance : array, shape (m, m)
        Of the direction, from the same bootstrap.
    t : array, shape (n,)
        Magnitudes of the pairs by generalised least squares, scaled to the spread of t without that of the classes;
        wild ones are held at three robust standard deviations.
    reliable : bool
        Whether there is such a direction at all.
    p_value : float
        Of a ratio this large where pairs vary as their classes do: by swapping coordinates of pairs and of classes.
    reading : array, shape (m,)
        Takes coordinates of any pair to its magnitude, ``v @ reading``, before wild ones are held.
    bounds : (float, float)
        Where wild magnitudes are held.
    class_direction : array, shape (m,)
        What images of one class vary in most, as a field over the image, unit norm in the gauge.
    class_spread : float
        Its standard deviation among pairs of a class: root mean square displacement over the image, normalised units.
    t_error : float
        Standard error of a pair's magnitude.
    measured : bool
        False where pairs, or those of them that look alike, are too few, or images without any structure: then
        nothing of the above says anything.
    """

    direction: np.ndarray
    ratio: float
    runner_up: float
    direction_error_deg: float
    covariance: np.ndarray
    t: np.ndarray
    reliable: bool
    p_value: float
    reading: np.ndarray
    bounds: tuple[float, float]
    class_direction: np.ndarray
    class_spread: float
    t_error: float
    measured: bool = True


def contrast_generator(pairs: PairSet, basis: Basis, seed: int = 0) -> Contrast:
    """The direction in which pairs vary most compared with what varies within classes.

    Parameters
    ----------
    pairs : PairSet
        A few hundred at least; nothing is measured with fewer than :func:`least_pairs`.
    basis : Basis
    seed : int
        Of the choice of neighbours and the bootstrap.
    """
    m = basis.dimension
    least = least_pairs(basis)
    first = np.eye(m)[0]
    still = np.zeros(len(pairs))
    nothing = Contrast(
        first, 1.0, 1.0, 90.0, np.eye(m), still, False, 1.0, 0 * first, (0.0, 0.0), first, 0.0, 0.0, measured=False
    )
    if len(pairs) < least:
        return nothing
    random = np.random.default_rng(seed)
    aligner = Aligner(basis, pairs.grid, pairs.device)
    own, partner = _look_alikes(pairs, aligner, random)
    if len(own) < least:
        return nothing
    between = free_coordinates(pairs, aligner).v.double().cpu().numpy()
    within = free_coordinates(pairs.sources(own, partner), aligner).v.double().cpu().numpy()
    scatter, class_scatter = _scatter(between), _scatter(within)
    if class_scatter.diagonal().min() < _LEAST_VARIANCE:
        return nothing  # images without any structure stay where they are, whatever their class
    direction, weights, ratios = _leading(scatter, class_scatter)
    direction = fix_gauge(direction, basis)
    drawn = _resampled(between, within, direction, random)
    angles = np.degrees(np.arccos(np.clip(drawn @ direction, -1, 1)))
    error = float(np.quantile(angles, 0.95))
    p_value = _permuted_p(between, within, float(ratios[0]), random)
    reliable = bool(p_value <= _LEVEL and ratios[0] >= _LEAST_RATIO and error <= _LARGEST_ERROR_DEG)
    reading = weights / (direction @ weights) * np.sqrt(1 - 1 / max(1.0, ratios[0]))
    t = between @ reading
    middle = float(np.median(t))
    reach = _WILD * 1.4826 * float(np.median(np.abs(t - middle)))
    class_direction, class_spread = _widest(class_scatter, field_gram(basis, pairs.grid))
    return Contrast(
        direction,
        float(ratios[0]),
        float(ratios[1]) if m > 1 else 1.0,
        error,
        np.cov((drawn - direction).T).reshape(m, m),
        np.clip(t, middle - reach, middle + reach),
        reliable,
        p_value,
        reading,
        (middle - reach, middle + reach),
        fix_gauge(class_direction, basis),
        class_spread,
        reach / _WILD * np.sqrt(1 / max(ratios[0] - 1, 1e-9)),
    )


def least_pairs(basis: Basis) -> int:
    """How many pairs a contrast needs at least."""
    return max(_LEAST_PAIRS, 10 * basis.dimension)


def _look_alikes(pairs: PairSet, aligner: Aligner, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sources (two arrays of indices) whose targets are near neighbours of one another."""
    features, sources = [], []
    for part in chunk_slices(len(pairs), pairs.grid.size * int(pairs.source.shape[1])):
        source, target = pairs.take(part)
        features.append(aligner.coarse.apply(target).flatten(1).cpu().numpy())
        sources.append(aligner.coarse.apply(source).flatten(1).cpu().numpy())
    feature, root = np.concatenate(features), np.concatenate(sources)
    norm = np.linalg.norm(feature, axis=1, keepdims=True)
    feature = feature / np.maximum(norm, 1e-9)
    count = min(_NEIGHBOURS + 1, len(feature))
    # scikit-learn takes longer to load than most of a detection: only these pairs need it.
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=count).fit(feature).kneighbors(feature, return_distance=False)
    partner = np.full(len(feature), -1)
    # The nearest neighbours that are no copy of the same source: of one image with itself nothing can be learnt.
    for column in random.permuted(np.tile(np.arange(1, min(3, count)), (len(feature), 1)), axis=1).T:
        partner = _filled(partner, near[np.arange(len(near)), column], root)
    for column in range(3, count):
        partner = _filled(partner, near[:, column], root)
    own = np.flatnonzero(partner >= 0)
    return own, partner[own]


def _filled(partner: np.ndarray, candidate: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Partners, with candidates where there was none yet and the candidate is another image."""
    difference = np.square(source - source[candidate]).sum(axis=1)
    other = (difference > _SAME * np.square(source).sum(axis=1)) & (candidate != np.arange(len(source)))
    return np.where((partner < 0) & other, candidate, partner)


def _scatter(v: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "m m"]:
    """Tyler's scatter with the scale of the medians: wild registrations, if they are no half, leave it alone."""
    n, m = v.shape
    v = v - np.median(v, axis=0)
    spread = 1.4826 * np.median(np.abs(v), axis=0) + 1e-12
    u = v / spread
    shape = np.eye(m)
    for _ in range(_TYLER_ITERATIONS):
        distance = np.einsum("ni,ni->n", u @ np.linalg.inv(shape), u) + 1e-12
        shape = (u * (1 / distance)[:, None]).T @ u * (m / n) + _RIDGE * np.eye(m)
        shape /= np.trace(shape) / m
    distance = np.einsum("ni,ni->n", u @ np.linalg.inv(shape), u)
    # The median distance of a Gaussian is about its number of dimensions; a common factor is all that is left open.
    shape = shape * max(np.median(distance) / m, _LEAST_VARIANCE)
    scatter: np.ndarray = shape * np.outer(spread, spread)
    return scatter


def _leading(scatter: np.ndarray, class_scatter: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Direction (m,), weights (m,) that read magnitudes off coordinates, and all ratios, the largest first."""
    ratios, vectors = eigh(scatter, class_scatter)
    weights = vectors[:, -1]
    direction = class_scatter @ weights
    # Look-alikes are more alike than any two images of a class, in all directions alike: what all share is no symmetry.
    common = max(float(np.median(ratios)), _LEAST_VARIANCE) if len(ratios) > 2 else 1.0
    return direction / np.linalg.norm(direction), weights, ratios[::-1] / common


def _resampled(
    between: np.ndarray, within: np.ndarray, direction: np.ndarray, random: np.random.Generator
) -> Float[np.ndarray, "r m"]:
    """Directions from resampled pairs, with the sign of the given one."""
    drawn = []
    for _ in range(_RESAMPLES):
        # Rows are repeated, not weighted: the medians of location and scale are drawn anew as well.
        scatters = [
            _scatter(np.repeat(v, random.multinomial(len(v), np.full(len(v), 1 / len(v))), axis=0))
            for v in (between, within)
        ]
        found = _leading(*scatters)[0]
        drawn.append(found * np.sign(found @ direction))
    return np.array(drawn)


def _permuted_p(between: np.ndarray, within: np.ndarray, ratio: float, random: np.random.Generator) -> float:
    """How often coordinates shared out at random have a leading ratio as large as the pairs' own."""
    # Each about its own middle: the law of t need not be centred.
    # And each in its own size, which the ratios do not count either.
    whole = np.concatenate([_sized(v) for v in (between, within)])
    larger = 0
    for _ in range(_PERMUTATIONS):
        order = random.permutation(len(whole))
        first, second = whole[order[: len(between)]], whole[order[len(between) :]]
        larger += bool(_leading(_scatter(first), _scatter(second))[2][0] >= ratio)
    return (1 + larger) / (1 + _PERMUTATIONS)


def _sized(v: np.ndarray) -> np.ndarray:
    """Coordinates about their middle, scaled so that their scatter has determinant 1."""
    scatter = _scatter(v)
    size = np.exp(np.linalg.slogdet(scatter)[1] / (2 * len(scatter)))
    centred: np.ndarray = (v - np.median(v, axis=0)) / max(float(size), _LEAST_VARIANCE)
    return centred


def _widest(scatter: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, float]:
    """The unit direction that moves images most, with the standard deviation of the displacement."""
    values, vectors = np.linalg.eigh(gram)
    root = (vectors * np.sqrt(np.clip(values, _LEAST_VARIANCE, None))) @ vectors.T
    spread, directions = np.linalg.eigh(root @ scatter @ root)
    widest = np.linalg.solve(root, directions[:, -1])
    return widest / np.linalg.norm(widest), float(np.sqrt(max(spread[-1], 0)))
