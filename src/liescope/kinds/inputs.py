"""Parameters and points, looked at before any work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from liescope.errors import InputError, quoted
from liescope.geometry import Basis, get_basis

__all__ = ["Asked", "Progress", "Request", "checked_array", "checked_points", "some_of"]

Progress = Callable[[str, float], None]
_DRAWS = 64


@dataclass(frozen=True)
class Asked:
    """What is asked of a detection, checked.

    Attributes
    ----------
    basis : Basis
    count : int or None
        How many generators; None: as many as are certified.
    tolerance : float
        Largest defect that counts as a symmetry.
    confidence : float
    seed : int
    progress : callable, optional
    draws : int
        Of what is estimated.
    """

    basis: Basis
    count: int | None
    tolerance: float
    confidence: float
    seed: int
    progress: Progress | None = None
    draws: int = _DRAWS

    def tell(self, stage: str, share: float) -> None:
        """Tell how far the work is."""
        if self.progress is not None:
            self.progress(stage, share)

    def settings(self) -> dict[str, Any]:
        """As ``result.json`` keeps them."""
        return {
            "basis": self.basis.name,
            "n_generators": "auto" if self.count is None else self.count,
            "tolerance": self.tolerance,
            "confidence": self.confidence,
            "draws": self.draws,
        }


class Request(NamedTuple):
    """The parameters that all kinds share, as people give them; see :func:`liescope.detect_invariance`."""

    basis: Any
    n_generators: Any
    tolerance: Any
    confidence: Any
    random_state: Any
    progress: Progress | None = None

    def checked(self, ndim: int) -> Asked:
        """The parameters for points of that many coordinates; one message tells every fault.

        Raises
        ------
        InputError
            Unknown names, numbers out of range.
        """
        return _asked(ndim, *self)


def _asked(
    ndim: int,
    basis: Any,
    n_generators: Any,
    tolerance: Any,
    confidence: Any,
    random_state: Any,
    progress: Progress | None,
) -> Asked:
    faults = []
    fields: Basis | None = None
    try:
        fields = get_basis(basis, ndim)
        if fields.ndim != ndim:
            faults.append(
                f"expected a basis in {ndim} coordinates, as the points have, got {fields.ndim}, try ndim={ndim}"
            )
    except InputError as error:
        faults.append(str(error))
    whole = isinstance(n_generators, int | np.integer) and not isinstance(n_generators, bool)
    if n_generators != "auto" and not (whole and n_generators >= 1):
        faults.append(f"expected n_generators 'auto' or an integer of at least 1, got {quoted(n_generators)}")
    elif whole and fields is not None and n_generators > fields.dimension:
        faults.append(f"expected at most {fields.dimension} generators in basis {fields.name!r}, got {n_generators}")
    for name, value, most in (("tolerance", tolerance, 1), ("confidence", confidence, 1)):
        if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not 0 < value < most:
            faults.append(f"expected a {name} between 0 and {most}, got {quoted(value)}")
    if not isinstance(random_state, int | np.integer) or isinstance(random_state, bool) or random_state < 0:
        faults.append(f"expected random_state to be an integer of at least 0, got {quoted(random_state)}")
    if faults or fields is None:
        raise InputError("; ".join(faults))
    count = None if n_generators == "auto" else int(n_generators)
    return Asked(fields, count, float(tolerance), float(confidence), int(random_state), progress)


def some_of(count: int, most: int, rng: np.random.Generator) -> np.ndarray | slice:
    """An index of at most so many of ``count`` points, drawn without replacement, in their order."""
    return slice(None) if count <= most else np.sort(rng.choice(count, most, replace=False))


def checked_array(values: Any, what: str, ndim: int | None = None) -> np.ndarray:
    """A finite array of float64, of that many axes.

    Raises
    ------
    InputError
        Text or objects, another number of axes, no entries; NaN or infinities, with the first one's place.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    elif hasattr(values, "to_numpy"):
        values = values.to_numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"expected {what} as an array, got rows of different lengths ({error})") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"expected numbers for {what}, got {array.dtype}, try astype(float)")
    if ndim is not None and array.ndim != ndim:
        raise InputError(f"expected {what} with {ndim} axes, got shape {array.shape}")
    if not array.size:
        raise InputError(f"expected {what}, got an empty array of shape {array.shape}")
    array = array.astype(np.float64)
    wrong = ~np.isfinite(array)
    if wrong.any():
        first = ", ".join(str(int(i)) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"expected finite numbers for {what}, got NaN or infinity, the first at [{first}], try dropping those rows"
        )
    return array


def checked_points(X: Any, least: int | None = None, what: str = "points X") -> np.ndarray:
    """Points of shape (N, d), finite.

    Raises
    ------
    InputError
        Anything else, or fewer than ``least``.
    """
    array = checked_array(X, what)
    if array.ndim == 1:
        raise InputError(f"expected {what} of shape (N, d), got {array.shape}, try X.reshape(-1, 1)")
    if array.ndim != 2:
        raise InputError(f"expected {what} of shape (N, d), got {array.shape}")
    if least is not None and len(array) < least:
        raise InputError(f"expected at least {least} {what}, got {len(array)}")
    return array
