"""Coordinates of pairs of pictures along given directions: damped Gauss-Newton on the weighted residual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.algebra import structure_tensor
from liescope.engines.pair_set import chunk_slices
from liescope.engines.registration.coordinates import damped_step, exponential_derivative, step_metric
from liescope.engines.registration.linearise import FieldTable, NormalEquations
from liescope.engines.registration.motion import Motion, motion_along
from liescope.engines.registration.pictures.views import View
from liescope.engines.registration.pictures.weighted import Compared, compared, equations_of, magnitude_covariance
from liescope.engines.workers import map_chunks
from liescope.geometry import Basis, Grid

__all__ = ["Along", "Registrar"]


@dataclass(frozen=True, eq=False)
class Along:
    """Pairs moved along directions.

    Attributes
    ----------
    t : tensor, shape (B, K)
    error : tensor, shape (B,)
        See :class:`~liescope.engines.registration.pictures.weighted.Compared`.
    overlap : tensor, shape (B,)
    equations : NormalEquations
        Over the whole basis, in the frame of a further small motion.
    """

    t: Tensor
    error: Tensor
    overlap: Tensor
    equations: NormalEquations

    def take(self, index: Tensor) -> Along:
        """Some of the pairs."""
        return self._of(part[index] for part in self._parts())

    def where(self, mask: Tensor, other: Along) -> Along:
        """Those of ``other`` in the mask, these elsewhere."""
        pairs = zip(self._parts(), other._parts(), strict=True)
        chosen = (torch.where(mask.reshape(-1, *(1,) * (a.ndim - 1)), b, a) for a, b in pairs)
        return self._of(chosen)

    @classmethod
    def joined(cls, parts: Sequence[Along]) -> Along:
        """Pairs of several batches as one."""
        return cls._of(torch.cat(column) for column in zip(*(part._parts() for part in parts), strict=True))

    def _parts(self) -> tuple[Tensor, ...]:
        return (self.t, self.error, self.overlap, *self.equations)

    @classmethod
    def _of(cls, parts: Iterable[Tensor]) -> Along:
        t, error, overlap, *equations = parts
        return cls(t, error, overlap, NormalEquations(*equations))


class Registrar:
    """Registers pairs along directions of a basis.

    Parameters
    ----------
    basis : Basis
    device : torch.device
    outside : bool
        What lies outside of pictures is known, and counts.
    """

    def __init__(self, basis: Basis, device: torch.device, outside: bool = False) -> None:
        self.basis = basis
        self.device = device
        self.outside = outside
        self.structure = torch.as_tensor(structure_tensor(basis)[0], dtype=torch.float32, device=device)
        self._tables: dict[object, FieldTable] = {}

    def table(self, view: View) -> FieldTable:
        """Fields of the basis at the pixels of a view's level."""
        if view.grid not in self._tables:
            self._tables[view.grid] = FieldTable.of(self.basis, view.grid).to(self.device)
        return self._tables[view.grid]

    def motion(self, view: View, span: Float[Tensor, "m k"], reach: float = 4.0) -> Motion:
        """Flows along a span on the pixels of a view."""
        return self.motion_on(view.grid, span, reach)

    def motion_on(self, grid: Grid, span: Float[Tensor, "m k"], reach: float) -> Motion:
        """Flows along a span on the pixels of a grid."""
        return motion_along(self.basis, span, grid.points(device=self.device), reach)

    def at(self, view: View, span: Float[Tensor, "m k"], t: Float[Tensor, "b k"]) -> Compared:
        """Pairs moved by t, compared."""
        motion = self.motion(view, span, float(t.abs().max()) + 0.1)
        return compared(view, motion.origins(t), self.outside)

    def error_at(self, view: View, origins: Float[Tensor, "1 n 2"]) -> Float[Tensor, " b"]:
        """Errors of all pairs under one shared motion."""
        return compared(view, origins, self.outside).error

    def covariance(self, view: View, span: Float[Tensor, "m k"], t: Float[Tensor, "b k"]) -> Float[Tensor, "b k k"]:
        """Sampling covariance of coordinates at their best (:func:`magnitude_covariance`)."""
        step = partial(self._covariance, view, span, t)
        size = view.grid.size * view.source.shape[1] * (span.shape[1] + 2)
        return torch.cat(list(map_chunks(step, list(chunk_slices(len(view), size)))))

    def _covariance(self, view: View, span: Tensor, t: Tensor, part: slice) -> Tensor:
        view, t = view.take(part), t[part]
        frame = exponential_derivative(self.structure, t @ span.T) @ span
        return magnitude_covariance(view, self.at(view, span, t), self.table(view), frame)

    def refine(self, view: View, span: Float[Tensor, "m k"], start: Float[Tensor, "b k"], iterations: int) -> Along:
        """The best coordinates near ``start``; a step that does not lower a pair's error is taken back."""
        reach = 2 * float(start.abs().max()) + 1.0 if len(start) else 1.0
        motion = self.motion(view, span, reach)
        step = partial(self._refined, view, motion, start, iterations)
        slices = list(chunk_slices(len(view), 4 * view.grid.size * view.source.shape[1]))
        return Along.joined(list(map_chunks(step, slices)))

    def _refined(self, view: View, motion: Motion, start: Tensor, iterations: int, part: slice) -> Along:
        view, t = view.take(part), start[part]
        span, table = motion.directions, self.table(view)
        metric = span.T @ step_metric(table) @ span
        best = self._along(view, motion, table, t)
        damping = torch.full_like(best.error, 1e-2)
        for _ in range(iterations):
            frame = exponential_derivative(self.structure, best.t @ span.T) @ span
            hessian = frame.mT @ best.equations.hessian @ frame
            slope = (frame.mT @ best.equations.gradient[..., None])[..., 0]
            trial = best.t + damped_step(hessian, slope, damping, metric)
            found = self._along(view, motion, table, trial)
            better = found.error < best.error
            best = best.where(better, found)
            damping = torch.where(better, damping * 0.2, damping * 8).clamp(1e-6, 1e4)
        return best

    def _along(self, view: View, motion: Motion, table: FieldTable, t: Tensor) -> Along:
        found = compared(view, motion.origins(t), self.outside)
        return Along(t, found.error, found.overlap, equations_of(view, found, table))
