"""Reading a folder back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from liescope.algebra import Generator
from liescope.answer.answer import FURTHER_ARRAYS, SCHEMA, Answer
from liescope.answer.film import FILM_ARRAYS, FILM_SAMPLES, stored_film
from liescope.answer.folder import OWN_FILES, SCHEMA_NAME, read_whole
from liescope.answer.parts import DetectedGenerator, Samples
from liescope.data.pairs import read_npz
from liescope.errors import InputError
from liescope.geometry import Basis
from liescope.geometry.bases import stored_basis

__all__ = ["folder_of", "read_answer"]

_SCHEMAS = (f"{SCHEMA_NAME}1", SCHEMA)
_LATENT_FILES = ("model.safetensors", "config.json", "history.csv")
"""What the latent engine kept before results named their engine's files."""
_SAMPLES = ("index", "source", "target", "transported")


def read_answer(path: str | Path, basis: Basis | None = None) -> Answer:
    """Read a result folder.

    Parameters
    ----------
    path : path
        The folder, or the ``result.json`` in it.
    basis : Basis, optional
        Needed only where the detection used fields of your own: files keep their names, not their functions.

    Raises
    ------
    InputError
        No such folder, not a result, another schema, or files that are truncated or do not fit together.
    """
    folder = folder_of(path)
    return read_whole(folder, partial(_read, folder, basis))


def folder_of(path: str | Path) -> Path:
    """The folder of a result: itself, or that of its ``result.json``."""
    path = Path(path)
    return path.parent if path.name == "result.json" and path.is_file() else path


def _read(path: str | Path, basis: Basis | None, folder: Path) -> Answer:
    file = folder / "result.json"
    if not file.is_file():
        raise InputError(f"expected a result folder, got {_no_result(path, folder)}")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"expected JSON in '{file}', got a truncated or corrupt file ({error})") from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema not in _SCHEMAS:
        raise InputError(f"expected schema {SCHEMA!r} in '{file}', got {schema!r}")
    further = (*FURTHER_ARRAYS, *FILM_ARRAYS)
    arrays = read_npz(folder / "magnitudes.npz", ("t", "residual", "accepted"), optional=further)
    samples = None
    if (folder / "samples.npz").exists():
        kept = read_npz(folder / "samples.npz", _SAMPLES, optional=FILM_SAMPLES)
        samples = Samples(**{name: kept[name] for name in _SAMPLES})
        arrays |= {name: kept[name] for name in FILM_SAMPLES if name in kept}
    try:
        return _from_content(content, arrays, samples, basis, folder)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"expected a complete result in '{file}', got a wrong or missing entry: {error}") from None


def _no_result(path: str | Path, folder: Path) -> str:
    """What lies in a result's place, and what to try."""
    if folder.is_file():
        return f"the file '{path}', try the folder that liescope detect wrote (--out)"
    what = "no result.json in it" if folder.is_dir() else "no such folder"
    return f"'{path}': {what}, try liescope detect PAIRS --out {path}"


def _from_content(
    content: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    samples: Samples | None,
    basis: Basis | None,
    folder: Path,
) -> Answer:
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
    expected |= {"t_error": (pairs, len(generators)), "names": (pairs, 2)}
    expected |= dict.fromkeys(("identifiable", "gain", "offset"), (pairs,))
    factors = content["algebra"].get("factors")
    expected["factor_t"] = (pairs, len(factors["names"]) if factors else 0)
    for name, shape in expected.items():
        if name in arrays and arrays[name].shape != shape:
            raise InputError(f"expected {name} of shape {shape} in magnitudes.npz, got {arrays[name].shape}")
    background = content["data"].get("background")
    latent = content["engine"] == "latent"
    return Answer(
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
        gain=arrays.get("gain"),
        offset=arrays.get("offset"),
        samples=samples,
        versions=content.get("versions", {}),
        kind=content.get("kind", "images"),
        product=bool(content.get("product", latent)),
        background=None if background is None else np.array(background, dtype=np.float64).reshape(channels),
        state=_files(folder, content.get("files", _LATENT_FILES if latent else ())),
        film=stored_film(content["data"], arrays, len(generators)),
        names=arrays.get("names"),
    )


def _files(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """The engine's own files; names come from a file that anybody may have written."""
    strange = [name for name in names if not (isinstance(name, str) and name in OWN_FILES)]
    if strange:
        raise InputError(f"expected files of an engine ({', '.join(OWN_FILES)}), got {strange[0]!r}")
    try:
        return {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        raise InputError(
            f"expected the file '{error.filename}', got none that can be read ({error.strerror})"
        ) from None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
