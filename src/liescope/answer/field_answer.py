"""What a detection without pairs answers: the symmetries of a function, a network, a cloud, a law of motion.

Nothing was moved by a hidden magnitude here, so there are no magnitudes; points are given in the data's own units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from liescope.answer.answer import SCHEMA, Answer
from liescope.answer.moving_points import law_of_motion, moved_points
from liescope.answer.values import plain_values
from liescope.errors import InputError
from liescope.geometry import Cloud, Grid

__all__ = ["FIELD_KINDS", "FieldAnswer", "nothing_measured"]

FIELD_KINDS = ("function", "equivariance", "cloud", "dynamics")
"""Kinds whose answer this is."""


def nothing_measured(count: int) -> dict[str, Any]:
    """The parts of an :class:`liescope.answer.Answer` that only pairs of images have, empty."""
    empty = np.zeros(0)
    return {"shape": (0, 0, 0), "t": np.zeros((0, count)), "residual": empty, "accepted": empty.astype(bool)}


@dataclass(frozen=True, eq=False, repr=False)
class FieldAnswer(Answer):
    """The answer of a detection that null vectors gave.

    Parameters
    ----------
    domain : Cloud
        Points that the data lie at (a sample of them), in the data's units: where angles between fields are measured.
    fit : mapping
        What was learnt or taken for known: ``model``, and where something was learnt its held-out ``r2`` and lack of
        fit.
    actions : mapping
        What the outputs do, where the kind has outputs that move: ``basis`` and ``coefficients`` (K, p).
    """

    domain: Cloud = field(default_factory=lambda: Cloud(np.zeros((1, 2))))
    fit: Mapping[str, Any] = field(default_factory=dict)
    actions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def grid(self) -> Grid:
        """There is none; InputError."""
        raise InputError(f"expected images, got a result about a {self.kind}, try domain")

    def transform(self, points: Any, t: Any, **options: Any) -> np.ndarray:  # type: ignore[override]
        """Points moved by exp(t_1 X_1 + ... + t_K X_K).

        Parameters
        ----------
        points : array, shape (d,) or (N, d)
            In the units of the data.
        t : float, or array of shape (K,) or (N, K), or (N,) where K is 1
            In units of the unit-norm generators, for all points or for each.

        Raises
        ------
        InputError
            No symmetry to apply, wrong shapes, values that are not finite, or a flow that leaves every bound.
        """
        if options:
            raise InputError(f"expected points and t alone, got {', '.join(sorted(options))}, which images have")
        self._check_generators()
        coefficients = np.stack([g.coefficients for g in self.generators])
        return moved_points(points, t, coefficients, self.basis)

    def augment(self, X: Any, y: Any = None, *, copies: int = 1, reach: float = 0.5, random_state: int = 0) -> Any:
        """More data of the same kind: every point moved by random magnitudes, with the label it had.

        Parameters
        ----------
        X : array, shape (N, d)
        y : array, shape (N, ...), optional
            Labels or values; an invariance leaves them as they are. What an equivariance does to outputs is done to y.
        copies : int
            Of every point, beside itself.
        reach : float
            How far points go, in standard deviations of the data; rotations go all the way round.
        random_state : int

        Returns
        -------
        array, shape (N (copies + 1), d), or that and y
            The points as they were come first.
        """
        self._check_generators()
        places = np.atleast_2d(np.asarray(X, dtype=np.float64))
        if copies < 0 or reach < 0:
            raise InputError(f"expected copies and reach of at least 0, got {copies} and {reach}")
        if y is not None and len(y) != len(places):
            raise InputError(f"expected a y for each of {len(places)} points, got {len(y)}")
        rng = np.random.default_rng(random_state)
        largest = law_of_motion([g.generator for g in self.generators], self.domain, reach)
        moved, values = [places], [None if y is None else np.asarray(y)]
        for _ in range(copies):
            t = rng.uniform(-1, 1, size=(len(places), len(self.generators))) * largest
            moved.append(self.transform(places, t))
            values.append(None if y is None else self._acted(np.asarray(y), t))
        together = np.concatenate(moved)
        return together if y is None else (together, np.concatenate([np.asarray(v) for v in values]))

    def _acted(self, y: np.ndarray, t: np.ndarray) -> np.ndarray:
        """What the symmetry does to outputs: nothing, but for an equivariance."""
        if not self.actions:
            return y
        rows = np.asarray(self.actions["coefficients"], dtype=np.float64)
        moved: np.ndarray = moved_points(y.reshape(len(y), -1), t, rows, self.actions["basis"]).reshape(y.shape)
        return moved

    def to_dict(self) -> dict[str, Any]:
        """The content of ``result.json``: plain values, numbers that are not finite as None."""
        algebra = {"dimension": len(self.generators), "name": None, "closed": None, "closure_residual": None}
        actions = dict(self.actions)
        if actions:
            basis = actions.pop("basis")
            actions |= {"basis": basis.name, "ndim": basis.ndim, "terms": basis.terms}
        content = {
            "schema": SCHEMA,
            "version": self.version,
            "engine": self.engine,
            "verdict": self.verdict,
            "reason": self.reason,
            "kind": self.kind,
            "data": {"points": self.pairs, "ndim": self.domain.ndim},
            "domain": {"ndim": self.domain.ndim, "axes": self.domain.axes, "shape": None},
            "basis": self.basis.name,
            "terms": self.basis.terms,
            "generators": [g.to_dict() for g in self.generators],
            "algebra": algebra | dict(self.algebra),
            "evidence": {"p_value": None, "null": "certificate"} | dict(self.evidence),
            "magnitudes": None,
            "fit": self.fit,
            "actions": actions,
            "seconds": self.seconds,
            "seed": self.seed,
            "settings": self.settings,
            "versions": self.versions,
            "files": sorted(self.state),
        }
        plain: dict[str, Any] = plain_values(content)
        return plain

    def __repr__(self) -> str:
        found = "; ".join(f"{g.generator.name}: {g.generator.equation}" for g in self.generators)
        return f"{type(self).__name__}({found or self.verdict}, kind={self.kind!r}, points={self.pairs})"
