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

__all__ = ["detect"]


def detect(
    X: Any = None,
    Y: Any = None,
    *,
    frames: Any = None,
    lags: int | Sequence[int] | None = None,
    source_mask: Any = None,
    target_mask: Any = None,
    nodata: float | None = None,
    image_shape: Sequence[int] | None = None,
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

    ``detect(frames=F, lags=[1, 2, 3])`` takes a film in place of pairs.

    Examples
    --------
    >>> from liescope.data import make_pairs
    >>> pairs = make_pairs(transform="rotation", range=60, pairs=500)
    >>> result = detect(pairs.source, pairs.target)
    >>> result.generators[0].generator.name
    'rotation'
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
