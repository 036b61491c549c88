"""Reading a folder back."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from liescope.algebra import Generator
from liescope.answer.answer import FURTHER_ARRAYS, LABELS, SCHEMA, Answer
from liescope.answer.field_answer import FIELD_KINDS
from liescope.answer.field_reading import field_answer
from liescope.answer.film import FILM_ARRAYS, FILM_SAMPLES, stored_film
from liescope.answer.folder import OWN_FILES, SCHEMA_NAME, no_result, read_whole
from liescope.answer.parts import DetectedGenerator, Samples
from liescope.answer.stored import check_arrays, check_content, check_samples
from liescope.data.archives import read_npz
from liescope.data.guard import check_place, json_of, quoted, reading, reason, told_path
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
    return path.parent if path.name == "result.json" and os.path.isfile(path) else path


def _read(path: str | Path, basis: Basis | None, folder: Path) -> Answer:
    file = folder / "result.json"
    try:
        there, within, a_file = file.is_file(), folder.is_dir(), folder.is_file()
    except OSError as error:  # a name that is too long
        raise InputError(f"expected a result folder, got {told_path(path)} ({reason(error)})") from None
    if a_file:
        told = f"the file {told_path(path)}, try the folder that liescope detect wrote (--out)"
        raise InputError(f"expected a result folder, got {told}")
    if not there:
        raise no_result(path, "no result.json in it" if within else "no such folder")
    with reading(file, "a result"):
        return _read_parts(file, basis, folder)


def _read_parts(file: Path, basis: Basis | None, folder: Path) -> Answer:
    content = json_of(file.read_bytes(), str(file))
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, str) or schema not in _SCHEMAS:
        raise InputError(f"expected schema {SCHEMA!r} in {told_path(file)}, got {quoted(schema)}")
    if content.get("kind") in FIELD_KINDS:
        return _read_field(content, basis, file, folder)
    check_content(content, told_path(file))
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
        raise InputError(f"{told_path(file)[1:-1]}: {error}") from None
    except Exception as error:
        told = f"a wrong or missing entry: {reason(error)}"
        raise InputError(f"expected a complete result in {told_path(file)}, got {told}") from error


def _read_field(content: Mapping[str, Any], basis: Basis | None, file: Path, folder: Path) -> Answer:
    names = content.get("files")
    try:
        return field_answer(content, _files(folder, names if isinstance(names, list) else ()), basis, told_path(file))
    except InputError as error:
        raise InputError(f"{told_path(file)[1:-1]}: {error}") from None
    except Exception as error:
        told = f"a wrong or missing entry: {reason(error)}"
        raise InputError(f"expected a complete result in {told_path(file)}, got {told}") from error


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
    check_arrays(arrays, expected)
    if samples is not None:
        shown = int(content["evidence"]["labels"]) if content["engine"] == LABELS else pairs
        check_samples(vars(samples), shown, (channels, height, width))
    if not all(any(g["coefficients"]) for g in content["generators"]):
        raise InputError("expected coefficients of every generator, got zeros")
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
        raise InputError(f"expected files of an engine ({', '.join(OWN_FILES)}), got {quoted(strange[0])}")
    for name in names:
        check_place(folder / name, f"the file {name} of a result")
    try:
        return {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        told = f"got none that can be read ({reason(error)})"
        raise InputError(f"expected the file {told_path(str(error.filename))}, {told}") from None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
