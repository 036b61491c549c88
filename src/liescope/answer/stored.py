"""What ``result.json`` and the arrays beside it must be for anything to be read from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from liescope.data.guard import quoted
from liescope.errors import InputError

__all__ = ["check_arrays", "check_content", "check_samples"]

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Side = Annotated[int, Field(ge=1, lt=1 << 31)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Names = list[str]

_KINDS = {"accepted": "biu", "identifiable": "biu", "first": "iu", "second": "iu", "frame_piece": "iu", "names": "U"}
_NUMBERS = "fiu"


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Data(_Part):
    pairs: Count
    shape: Annotated[list[Side], Field(min_length=3, max_length=3)]
    background: list[Finite] | None = None
    frames: Count | None = None
    lags: list[Count] | None = None


class _Generator(_Part):
    coefficients: list[Finite]
    direction_error_deg: float | None
    interval: list[Annotated[list[float | None], Field(min_length=2, max_length=2)]]


class _Factors(_Part):
    names: Names


class _Algebra(_Part):
    dimension: Count | None = None
    name: str | None = None
    closed: bool | None = None
    closure_residual: float | None = None
    factors: _Factors | None = None


class _Reach(_Part):
    factor: Finite
    nats: Finite


class _Labels(_Part):
    labels: Count
    nats: Finite
    reach: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]] | None = None
    reaches: list[_Reach] = []


class _Content(_Part):
    engine: str
    verdict: Literal["symmetry", "no symmetry", "undecided"]
    reason: str = ""
    kind: str = "images"
    data: _Data
    basis: str
    terms: Names
    generators: list[_Generator]
    algebra: _Algebra
    evidence: dict[str, Any]
    seconds: float | None
    seed: Count
    settings: dict[str, Any]
    version: str
    versions: dict[str, str] = {}
    product: bool = False
    files: Names = []


def check_content(content: Mapping[str, Any], where: str) -> None:
    """Check the entries of a ``result.json`` that anything is read from; further ones may be there.

    Raises
    ------
    InputError
        The first entry that is wrong or missing.
    """
    try:
        _Content.model_validate(content)
        if content.get("engine") == "labels":
            found = _Labels.model_validate(content["evidence"])
            if found.reach is not None and len(found.reach) != len(content["generators"]):
                told = f"{len(found.reach)} for {len(content['generators'])}"
                raise InputError(f"expected a reach of every generator in {where}, got {told}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        *places, last = [str(part) for part in first["loc"]] or ["content"]
        inside = f" of {'.'.join(places)}" if places else ""
        told = f"{quoted(last)}{quoted(inside)[1:-1]} ({first['msg'].lower()})"
        raise InputError(f"expected a complete result in {where}, got a wrong or missing entry: {told}") from None


def check_arrays(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check shapes and types of what ``magnitudes.npz`` holds.

    Raises
    ------
    InputError
        The first array that is not what it should be.
    """
    for name, shape in shapes.items():
        if name not in arrays:
            continue
        if arrays[name].shape != shape:
            raise InputError(f"expected {name} of shape {shape} in magnitudes.npz, got {quoted(arrays[name].shape)}")
        if arrays[name].dtype.kind not in _KINDS.get(name, _NUMBERS):
            what = "text" if _KINDS.get(name) == "U" else "numbers"
            raise InputError(f"expected {what} for {name} in magnitudes.npz, got {quoted(str(arrays[name].dtype))}")


def check_samples(samples: Mapping[str, np.ndarray], pairs: int, shape: tuple[int, int, int]) -> None:
    """Check the images of ``samples.npz``: of the shape of the data, and of pairs that there are.

    Raises
    ------
    InputError
        They are not.
    """
    index = samples["index"]
    there = index.dtype.kind in "iu" and index.ndim == 1 and bool(((index >= 0) & (index < pairs)).all())
    if not there:
        raise InputError(f"expected numbers of pairs as index in samples.npz, got {index.dtype} {quoted(index.shape)}")
    for name in ("source", "target", "transported"):
        found, expected = samples[name], (len(index), *shape)
        if found.shape != expected or found.dtype.kind not in "fiu":
            got = f"{found.dtype} {quoted(found.shape)}"
            raise InputError(f"expected {name} of shape {expected} in samples.npz, got {got}")
