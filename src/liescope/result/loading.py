"""Reading a result folder back."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from liescope.algebra import Generator
from liescope.data.pairs import read_npz
from liescope.engines.latent import load_latent
from liescope.errors import InputError
from liescope.geometry import Basis
from liescope.geometry.bases import stored_basis
from liescope.result.folder import recover_folder
from liescope.result.symmetry import SCHEMA, DetectedGenerator, Samples, SymmetryResult

__all__ = ["load_result"]


def load_result(path: str | Path, basis: Basis | None = None) -> SymmetryResult:
    """Read a result folder.

    Parameters
    ----------
    path : path
    basis : Basis, optional
        Needed only where the detection used fields of your own: files keep their names, not their functions.

    Raises
    ------
    InputError
        No such folder, not a result, another schema, or files that are truncated or do not fit together.
    """
    folder = Path(path)
    recover_folder(folder.resolve())
    file = folder / "result.json"
    if not file.is_file():
        what = "no result.json in it" if folder.is_dir() else "no such folder"
        raise InputError(f"expected a result folder, got '{path}': {what}, try liescope detect PAIRS --out {path}")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"expected JSON in '{file}', got a truncated or corrupt file ({error})") from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise InputError(f"expected schema {SCHEMA!r} in '{file}', got {schema!r}")
    further = ("t_error", "identifiable", "factor_t")
    arrays = read_npz(folder / "magnitudes.npz", ("t", "residual", "accepted"), optional=further)
    samples = None
    if (folder / "samples.npz").exists():
        names = ("index", "source", "target", "transported")
        samples = Samples(**read_npz(folder / "samples.npz", names))
    try:
        result = _from_content(content, arrays, samples, basis)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"expected a complete result in '{file}', got a wrong or missing entry: {error}") from None
    if result.engine != "latent":
        return result
    return dataclasses.replace(result, latent=load_latent(folder, result.basis))


def _from_content(
    content: Mapping[str, Any], arrays: Mapping[str, np.ndarray], samples: Samples | None, basis: Basis | None
) -> SymmetryResult:
    fields = stored_basis(content["basis"], content["terms"], basis)
    channels, height, width = (int(n) for n in content["data"]["shape"])
    pairs = int(content["data"]["pairs"])
    generators = tuple(
        DetectedGenerator(
            Generator(g["coefficients"], fields, (height, width)),
            _number(g["direction_error_deg"]),
            np.array(g["interval"], dtype=np.float64).reshape(fields.dimension, 2),
        )
        for g in content["generators"]
    )
    expected = {"t": (pairs, len(generators)), "residual": (pairs,), "accepted": (pairs,)}
    expected |= {"t_error": (pairs, len(generators)), "identifiable": (pairs,)}
    factors = content["algebra"].get("factors")
    expected["factor_t"] = (pairs, len(factors["names"]) if factors else 0)
    for name, shape in expected.items():
        if name in arrays and arrays[name].shape != shape:
            raise InputError(f"expected {name} of shape {shape} in magnitudes.npz, got {arrays[name].shape}")
    return SymmetryResult(
        engine=content["engine"],
        verdict=content["verdict"],
        reason=content.get("reason", ""),
        pairs=pairs,
        shape=(channels, height, width),
        basis=fields,
        generators=generators,
        algebra=content["algebra"],
        evidence=content["evidence"],
        t=arrays["t"],
        residual=arrays["residual"],
        accepted=arrays["accepted"].astype(bool),
        seconds=_number(content["seconds"]),
        seed=int(content["seed"]),
        settings=content["settings"],
        version=content["version"],
        t_error=arrays.get("t_error"),
        identifiable=arrays["identifiable"].astype(bool) if "identifiable" in arrays else None,
        factor_t=arrays.get("factor_t"),
        samples=samples,
        versions=content.get("versions", {}),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
