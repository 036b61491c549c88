"""What a detection answers: generators, magnitudes, evidence."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from liescope.algebra import Generator
from liescope.data.pairs import atomic_path
from liescope.engines.latent import TrainedLatent
from liescope.errors import InputError
from liescope.geometry import Basis, transport_images
from liescope.geometry.transport import Border, Interpolation
from liescope.inference.modes import find_modes
from liescope.result.folder import atomic_folder
from liescope.result.values import json_text, plain_values

__all__ = ["SCHEMA", "DetectedGenerator", "Samples", "SymmetryResult"]

SCHEMA = "liescope.result/1"
"""Name of the format of ``result.json``; a change of a key gets a new number."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CHUNK_PIXELS = 1 << 21


@dataclass(frozen=True, eq=False)
class Samples:
    """A few pairs kept for the page: their place in the data and images of shape (S, C, H, W), float32."""

    index: np.ndarray
    source: np.ndarray
    target: np.ndarray
    transported: np.ndarray


@dataclass(frozen=True, eq=False)
class DetectedGenerator:
    """A generator with its uncertainty.

    Parameters
    ----------
    generator : Generator
    direction_error_deg : float
        Angle between the true direction and the found one that the data allow, in degrees.
    interval : array, shape (m, 2)
        Lower and upper bound of every coefficient (95 %).
    """

    generator: Generator
    direction_error_deg: float
    interval: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """The generator as ``result.json`` keeps it."""
        g = self.generator
        return {
            "coefficients": g.coefficients,
            "name": g.name,
            "equation": g.equation,
            "direction_error_deg": self.direction_error_deg,
            "interval": self.interval,
            "centre_px": g.centre_px,
            "unit": g.unit,
            "unit_per_t": g.unit_per_t,
        }

    def _repr_html_(self) -> str:
        from liescope.report.notebook import detected_html

        return detected_html(self)


def _law(t: np.ndarray) -> dict[str, Any]:
    """Mean, quantiles and modes of magnitudes (n, K)."""
    if not t.size:
        return {"mean": [], "quantiles": {}, "modes": []}
    quantiles = {f"{q:g}": np.quantile(t, q, axis=0).tolist() for q in QUANTILES}
    modes = [np.asarray(find_modes(column)).tolist() for column in t.T]
    return {"mean": t.mean(axis=0).tolist(), "quantiles": quantiles, "modes": modes}


def _package_versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    return versions | {"scipy": importlib.metadata.version("scipy")}


@dataclass(frozen=True, eq=False, repr=False)
class SymmetryResult:
    """The answer of a detection.

    Parameters
    ----------
    engine : str
        ``registration`` or ``latent``.
    verdict : str
        ``symmetry`` or ``no symmetry``.
    reason : str
        One plain sentence that says why.
    pairs : int
    shape : (C, H, W)
    basis : Basis
        What the coefficients refer to.
    generators : tuple of DetectedGenerator
        K of them, in the order of the canonical fields that they are named after.
    algebra, evidence : dict
        As in ``result.json``.
    t : array, shape (N, K)
        Magnitudes in units of the unit-norm generators: target = exp(sum_k t_k X_k) source.
    residual : array, shape (N,)
        Squared difference of transported source and target, as a share of the target's sum of squares.
    accepted : array of bool, shape (N,)
        Which pairs follow the symmetry.
    seconds : float
    seed : int
    settings : dict
    version : str
        Of liescope.
    t_error : array, shape (N, K), optional
        Standard errors of t: the scatter that each pair's own residual implies.
    identifiable : array of bool, shape (N,), optional
        Pairs that determine their magnitudes (:func:`liescope.inference.identifiable`).
    factor_t : array, shape (N, J), optional
        Where pairs are products of fewer factors than K (``algebra["factors"]``): the factors' magnitudes, NaN for
        pairs that do not follow.
    samples : Samples, optional
    versions : dict
        Of Python and the packages that computed the result.
    latent : TrainedLatent, optional
        The latent engine's model. Its magnitudes are those of factors applied one after the other:
        target = exp(t_K X_K) ... exp(t_1 X_1) source.
    """

    engine: str
    verdict: str
    reason: str
    pairs: int
    shape: tuple[int, int, int]
    basis: Basis
    generators: tuple[DetectedGenerator, ...]
    algebra: Mapping[str, Any]
    evidence: Mapping[str, Any]
    t: np.ndarray
    residual: np.ndarray
    accepted: np.ndarray
    seconds: float
    seed: int
    settings: Mapping[str, Any]
    version: str
    t_error: np.ndarray | None = None
    identifiable: np.ndarray | None = None
    factor_t: np.ndarray | None = None
    samples: Samples | None = None
    versions: Mapping[str, str] = field(default_factory=_package_versions)
    latent: TrainedLatent | None = None

    @property
    def natural(self) -> np.ndarray:
        """Magnitudes in the generators' natural units (degrees, pixels, ...), shape (N, K)."""
        return self.t * np.array([g.generator.unit_per_t for g in self.generators], dtype=np.float64)

    @property
    def accepted_fraction(self) -> float:
        """Share of the pairs that follow the symmetry."""
        return float(np.mean(self.accepted)) if len(self.accepted) else 0.0

    @cached_property
    def magnitudes_summary(self) -> dict[str, Any]:
        """Mean, quantiles and modes of t over the accepted pairs, one entry per generator.

        Where it is known which pairs determine their magnitudes, ``identifiable`` has the same over those alone.
        """
        summary = _law(self.t[self.accepted])
        if self.identifiable is not None and self.identifiable.any():
            alone = {"pairs": int(self.identifiable.sum()), **_law(self.t[self.identifiable])}
            return summary | {"identifiable": alone}
        return summary

    def transform(
        self,
        images: np.ndarray,
        t: float | Sequence[float] | np.ndarray,
        *,
        interpolation: Interpolation = "linear",
        border: Border = "zero",
    ) -> np.ndarray:
        """Images moved by exp(t_1 X_1 + ... + t_K X_K); by exp(t_K X_K) ... exp(t_1 X_1) where the latent engine ran.

        Parameters
        ----------
        images : array, shape (H, W), (N, H, W) or (N, C, H, W)
            Of any size: coefficients mean the same field on every grid.
        t : float, or array of shape (K,) or (N, K)
            In units of the unit-norm generators, for all images or for each.

        Returns
        -------
        array, float32, the shape of ``images``

        Raises
        ------
        InputError
            No symmetry to apply, wrong ranks or counts, values that are not finite.
        """
        array = np.asarray(images)
        if array.dtype.kind not in "fiub" or array.ndim not in (2, 3, 4):
            raise InputError(f"expected images (N, H, W) or (N, C, H, W), got {array.dtype} {array.shape}")
        stack = array.reshape(-1, 1, *array.shape[-2:]) if array.ndim < 4 else array
        factors = [torch.as_tensor(v, dtype=torch.float32) for v in self._vectors(t, len(stack))]
        moved = np.empty(stack.shape, dtype=np.float32)
        step = max(1, CHUNK_PIXELS // max(1, int(np.prod(stack.shape[1:]))))
        for start in range(0, len(stack), step):
            part = slice(start, start + step)
            piece = np.ascontiguousarray(stack[part], dtype=np.float32)
            if not np.isfinite(piece).all():
                first = start + int(np.argwhere(~np.isfinite(piece))[0, 0])
                raise InputError(f"expected finite pixels, got NaN or infinite ones, the first in image {first}")
            images_moved = torch.from_numpy(piece)
            for vectors in factors:
                flows = vectors[part] if vectors.ndim == 2 else vectors
                images_moved = transport_images(
                    images_moved, self.basis, flows, interpolation=interpolation, border=border
                )
            moved[part] = images_moved.numpy()
        return moved.reshape(array.shape)

    def _vectors(self, t: float | Sequence[float] | np.ndarray, count: int) -> list[np.ndarray]:
        """Fields, shape (m,) or (count, m), whose flows are applied one after the other."""
        size = len(self.generators)
        if not size:
            raise InputError(f"expected a result with a symmetry to apply, got none: {self.reason}")
        values = np.atleast_1d(np.asarray(t, dtype=np.float64))
        if values.shape not in ((size,), (count, size)):
            raise InputError(f"expected {size} magnitude{'s' * (size > 1)} t, got shape {values.shape}")
        if not np.isfinite(values).all():
            raise InputError(f"expected finite magnitudes t, got {values.ravel().tolist()[:4]}")
        coefficients = np.stack([g.generator.coefficients for g in self.generators])
        if self.latent is None:
            return [values @ coefficients]
        return [values[..., k : k + 1] * coefficients[k] for k in range(size)]

    def to_dict(self) -> dict[str, Any]:
        """The content of ``result.json``: plain values, numbers that are not finite as None."""
        algebra = {"dimension": len(self.generators), "name": None, "closed": None, "closure_residual": None}
        evidence = dict.fromkeys(("heldout_error", "identity_error", "permuted_error", "p_value"))
        content = {
            "schema": SCHEMA,
            "version": self.version,
            "engine": self.engine,
            "verdict": self.verdict,
            "reason": self.reason,
            "data": {"pairs": self.pairs, "shape": self.shape},
            "basis": self.basis.name,
            "terms": self.basis.terms,
            "generators": [g.to_dict() for g in self.generators],
            "algebra": algebra | dict(self.algebra),
            "evidence": evidence | dict(self.evidence),
            "magnitudes": self.magnitudes_summary,
            "accepted_fraction": self.accepted_fraction,
            "seconds": self.seconds,
            "seed": self.seed,
            "settings": self.settings,
            "versions": self.versions,
        }
        plain: dict[str, Any] = plain_values(content)
        return plain

    def save(self, path: str | Path) -> Path:
        """Write the result folder, all or nothing; an earlier result there is replaced.

        Raises
        ------
        InputError
            The folder cannot be written, or holds other things than a result.
        """
        from liescope.report.page import write_page

        with atomic_folder(path) as folder:
            (folder / "result.json").write_text(json_text(self.to_dict()), encoding="utf-8")
            arrays = {"t": self.t, "residual": self.residual, "accepted": self.accepted}
            further = {"t_error": self.t_error, "identifiable": self.identifiable, "factor_t": self.factor_t}
            arrays |= {name: array for name, array in further.items() if array is not None}
            # Without allow_pickle=False, which numpy before 2.1 writes as one more array; none of these has objects.
            np.savez(folder / "magnitudes.npz", **arrays)
            if self.samples is not None:
                np.savez_compressed(folder / "samples.npz", **vars(self.samples))
            if self.latent is not None:
                self.latent.save(folder)
            write_page(self, folder / "report.html", folder_name=Path(path).resolve().name)
        return Path(path)

    def report(self, path: str | Path) -> Path:
        """Write the page, one self-contained HTML file."""
        from liescope.report.page import write_page

        with atomic_path(Path(path)) as temporary:
            write_page(self, temporary, folder_name=Path(path).resolve().parent.name)
        return Path(path)

    def summary(self) -> str:
        """The answer in a few plain lines."""
        from liescope.report.evidence import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from liescope.report.notebook import result_html

        return result_html(self)

    def __repr__(self) -> str:
        found = "; ".join(f"{g.generator.name}: {g.generator.equation}" for g in self.generators)
        return f"SymmetryResult({found or self.verdict}, pairs={self.pairs}, engine={self.engine!r})"
