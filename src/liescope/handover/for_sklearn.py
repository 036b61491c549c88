"""What is found as a transformer of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from liescope.errors import InputError
from liescope.handover.magnitudes import LawLike, Magnitudes
from liescope.handover.moving import Sampling, as_t, move_images
from liescope.handover.transformation import Found, planar

__all__ = ["SymmetryTransformer"]

_CHUNK_PIXELS = 1 << 21
_FLOATS = (np.float32, np.float64)
_SEEDS = 1 << 31


class SymmetryTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Images moved by a symmetry that was found: see :func:`liescope.handover.sklearn`.

    Attributes
    ----------
    image_shape_ : tuple of int, (C, H, W)
        What a row of flattened images is read as, or what images have.
    n_features_in_ : int
        Of flattened images.
    """

    def __init__(
        self,
        found: Found | None = None,
        *,
        t: float | Sequence[float] | np.ndarray | None = None,
        law: LawLike = None,
        range: float | Sequence[float] | None = None,
        image_shape: Sequence[int] | None = None,
        interpolation: str = "linear",
        border: str = "zero",
        fill: float | Sequence[float] | None = None,
        random_state: Any = None,
    ) -> None:
        self.found = found
        self.t = t
        self.law = law
        self.range = range
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.border = border
        self.fill = fill
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> SymmetryTransformer:
        """Look at the parameters and at the shape of the images; nothing is learnt."""
        if self.found is None:
            raise InputError("expected a result to transform by, got none, try liescope.handover.sklearn(result)")
        array = self._checked(X)
        self._found = planar(self.found)
        self._sampling = Sampling(self.interpolation, self.border, self.fill)
        self._magnitudes = None
        if self.t is None:
            self._magnitudes = Magnitudes(self._found, self.law, self.range)
        else:
            if self.law is not None or self.range is not None:
                raise InputError("expected a fixed t, or a law or range to draw it from, got both")
            as_t(self._found, self.t, 0)
        self.image_shape_ = self._shape(array)
        if array.ndim == 2:
            self.n_features_in_ = array.shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The images moved by ``t``, or each by its own draw.

        Parameters
        ----------
        X : array, shape (n, H W), (n, C H W), (n, H, W) or (n, C, H, W)

        Returns
        -------
        array, the shape of X
            float32 or float64 as X is, else float32.
        """
        check_is_fitted(self, "image_shape_")
        array = self._checked(X)
        if array.ndim == 2 and array.shape[1] != np.prod(self.image_shape_):
            side = f"{np.prod(self.image_shape_)} pixels of images {self.image_shape_}"
            raise InputError(f"expected rows of {side}, got {array.shape[1]} features")
        shape = self.image_shape_ if array.ndim == 2 else (1, *array.shape[1:])[-3:]
        stack = array.reshape(-1, *shape)
        t = self._t(len(stack))
        moved = np.empty_like(stack)
        step = max(1, _CHUNK_PIXELS // int(np.prod(shape)))
        for part in (slice(start, start + step) for start in range(0, len(stack), step)):
            own = t[part] if t.ndim == 2 else t
            piece = torch.from_numpy(np.ascontiguousarray(stack[part]))
            moved[part] = move_images(self._found, piece, own, self._sampling).numpy()
        return moved.reshape(array.shape)

    def _t(self, count: int) -> torch.Tensor:
        if self._magnitudes is None:
            return as_t(self._found, self.t, 0)  # type: ignore[arg-type]
        seed = check_random_state(self.random_state).randint(_SEEDS)
        return torch.from_numpy(self._magnitudes.draw(np.random.default_rng(seed), count))

    def _checked(self, X: Any) -> np.ndarray:
        array: np.ndarray = check_array(X, dtype=_FLOATS if _is_float(X) else np.float32, allow_nd=True)
        if array.ndim > 4:
            raise InputError(f"expected images (n, H, W), (n, C, H, W) or flattened, got {array.shape}")
        return array

    def _shape(self, array: np.ndarray) -> tuple[int, ...]:
        if array.ndim > 2:
            return (1, *array.shape[1:])[-3:]
        given = self._found.shape if self.image_shape is None else tuple(self.image_shape)
        height, width = given[-2:]
        channels, rest = divmod(array.shape[1], height * width)
        if rest or not channels or (len(given) == 3 and given[0] != channels):
            wanted = " x ".join(map(str, given))
            raise InputError(f"expected rows of {wanted} pixels, got {array.shape[1]} features, try image_shape=(H, W)")
        return channels, height, width


def _is_float(X: Any) -> bool:
    return getattr(getattr(X, "dtype", None), "kind", "f") == "f"
