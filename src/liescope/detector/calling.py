"""The estimator in one call. What it needs, PyTorch above all, is imported when it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liescope.engines import Progress
    from liescope.engines.latent import LatentConfig
    from liescope.geometry import Basis
    from liescope.result import SymmetryResult

__all__ = ["detect", "detect_sets"]


def detect(
    X: Any = None,
    Y: Any = None,
    *,
    frames: Any = None,
    lags: int | Sequence[int] | None = None,
    source_mask: Any = None,
    target_mask: Any = None,
    nodata: float | None = None,
    image_shape: int | Sequence[int] | None = None,
    engine: str = "auto",
    basis: str | Basis = "affine",
    n_generators: str | int = "auto",
    random_state: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    config: str | Path | Mapping[str, Any] | LatentConfig | None = None,
    work_dir: str | Path | None = None,
    resume: bool = False,
    border: str = "auto",
) -> SymmetryResult:
    """Find the continuous symmetry that relates pairs of images: :class:`SymmetryDetector` in one call.

    ``detect(frames=F, lags=[1, 2, 3])`` takes a film in place of pairs; ``detect(pairs)``, ``detect("pairs.npz")`` and
    ``detect("before", "after")`` (two folders) read what people have of them.

    Parameters
    ----------
    X, Y : arrays, tensors or lazy stacks, shape (N, H, W), (N, C, H, W), or flattened (N, H*W) with ``image_shape``
        Sources and targets: y = exp(t X) x with t hidden and different in every pair. Any real dtype and any grey
        scale; H and W of at least 5 pixels; NaN is a missing pixel. A few hundred pairs are plenty, one is measured.
        Also two paths (folders with images of the same names, or stacks); or ``X`` alone: a
        :class:`liescope.data.Pairs`, a path of pairs or of a film, ``(X, Y)``, a mapping with ``source`` and
        ``target``, a TensorDataset, a DataLoader or an iterator of pairs, which are read into memory.
    frames : array, tensor, lazy stack, shape (T, H, W) or (T, C, H, W), or path, optional
        A film in place of ``X`` and ``Y`` (:func:`liescope.data.read_film` reads one).
    lags : int or sequence of int, optional
        Frames from the first to the second of a film's pairs; default 1.
    source_mask, target_mask : array of bool, shape (N, H, W) or (H, W), optional
        True where a pixel is valid.
    nodata : float, optional
        The value of pixels that were not measured.
    image_shape : int, (H, W) or (C, H, W), optional
        Of flattened rows; one number is the side of a square.
    engine : {"auto", "registration", "distribution", "latent"}
        ``registration``: seconds, no network. ``latent``: the paper's networks, a minute or two; needs the extra
        ``latent``. ``auto`` is registration.
    basis : str or Basis
        Vector fields that generators are made of: ``translations``, ``affine``, ``quadratic``, ``conformal``,
        ``polynomial-3``, ... or fields of your own (:func:`liescope.geometry.field_basis`).
    n_generators : "auto" or int
        How many generators; ``auto`` adds them as long as held-out pairs say that one more pays.
    random_state : int
        The only source of randomness: the same seed gives the same bits on a CPU.
    device : str, optional
        Torch device to compute on; default the CPU.
    progress : callable, optional
        ``progress(stage, fraction)``, fraction from 0 to 1.
    config : str, path, mapping or LatentConfig, optional
        Settings of the latent engine: a preset (``default``, ``paper``), a TOML or JSON file, or values.
    work_dir : path, optional
        Where the latent engine keeps its state while it trains; nothing is kept without it.
    resume : bool
        Go on from the state in ``work_dir``, if there is one.
    border : {"auto", "unknown", "zero"}
        What lies outside of images: ``zero``: their background; ``unknown``: only the overlap of a moved source with
        its target counts; ``auto``: background where the borders of most images are.

    Returns
    -------
    SymmetryResult
        ``verdict`` and ``reason``; ``generators``, each with name, equation, centre in pixels and errors; ``t``,
        shape (N, K), the magnitudes in units of the unit-norm generators, and ``natural``, the same in degrees,
        pixels or log-factors; ``accepted``, shape (N,). It saves, shows and describes itself, and moves other images.

    Raises
    ------
    InputError
        Bad parameters (all of them at once) or bad data: one line, what was expected, what came, what to try.

    See Also
    --------
    SymmetryDetector : The same as an estimator that measures new pairs.

    Examples
    --------
    >>> from liescope.data import make_pairs
    >>> pairs = make_pairs(transform="rotation", range=60, pairs=100)
    >>> result = detect(pairs.source, pairs.target)
    >>> result.verdict, result.generators[0].name
    ('symmetry', 'rotation')
    >>> measured, true = result.natural[:, 0], pairs.natural_magnitude[:, 0]  # degrees
    >>> bool(abs(measured - true).max() < 1)
    True
    """
    from liescope.detector.fitting import fitted_pairs
    from liescope.detector.parameters import Parameters

    parameters = Parameters(
        engine, basis, n_generators, random_state, device, progress, config, work_dir, resume, border
    )
    return fitted_pairs(
        parameters,
        X,
        Y,
        image_shape,
        frames=frames,
        lags=lags,
        source_mask=source_mask,
        target_mask=target_mask,
        nodata=nodata,
    ).result


def detect_sets(
    before: Any,
    after: Any,
    labels: Any = None,
    *,
    basis: str | Basis = "affine",
    n_generators: str | int = "auto",
    random_state: int = 0,
    progress: Progress | None = None,
) -> SymmetryResult:
    """Find the generator, and the law of its magnitudes, that takes one set of images to another in distribution.

    Nothing is paired: ``after`` shows other objects of the same kind as ``before``, moved by exp(t X) with t hidden and
    different in every image. The generator X and the law of t are those under which the moved images of ``before`` have
    the means and the second moments of ``after``; whether that explains how the sets differ is tested on images that
    nothing was fitted to, by their energy distance.

    Parameters
    ----------
    before, after : arrays, tensors or lazy stacks, shape (N, H, W) or (N, C, H, W), (M, H, W) or (M, C, H, W)
        At least 100 of each; a thousand tell a generator to a few degrees. N and M may differ.
    labels : (array (N,), array (M,)), optional
        Classes of the images: then each is compared with its own. Both sets must have all of them.
    basis : str or Basis
        As of :func:`detect`.
    n_generators : "auto", 1 or 2
    random_state : int
        The only source of randomness.
    progress : callable, optional
        ``progress(stage, fraction)``, fraction from 0 to 1.

    Returns
    -------
    SymmetryResult
        ``kind`` is ``sets``. ``t``, shape (M, K), and ``t_error`` are the means and the standard deviations that the
        law leaves open for every image of ``after``; the law itself is in ``evidence["sets"]["law"]``: quantiles with
        their 95 % band. The verdict is "no symmetry" for sets of one distribution, and for sets that differ by a mirror
        or in grey values alone; "undecided" where no motion of the basis explains how they differ.

    Raises
    ------
    InputError
        Images of different sizes, fewer than 100 of a set, a label that one set lacks, bad parameters.

    Examples
    --------
    >>> from liescope.data import make_pairs
    >>> pairs = make_pairs("supersymnist", transform="rotation", range=45, pairs=600)
    >>> result = detect_sets(pairs.source, pairs.target[::-1])
    >>> result.verdict, result.generators[0].name
    ('symmetry', 'rotation')
    """
    from liescope.detector.parameters import Parameters
    from liescope.detector.sets import fitted_of_sets

    parameters = Parameters(
        "distribution", basis, n_generators, random_state, None, progress, None, None, False, "auto"
    )
    return fitted_of_sets(parameters, before, after, labels)
