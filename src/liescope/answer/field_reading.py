"""Reading the answers of null vectors back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from liescope.algebra import Generator
from liescope.answer.field_answer import FieldAnswer, nothing_measured
from liescope.answer.parts import DetectedGenerator
from liescope.data.archives import arrays_of
from liescope.data.guard import quoted
from liescope.errors import InputError
from liescope.geometry import Basis, Cloud
from liescope.geometry.bases import stored_basis

__all__ = ["field_answer"]

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Data(_Part):
    points: Count
    ndim: Annotated[int, Field(ge=1, lt=1 << 16)]


class _Generator(_Part):
    coefficients: list[Finite]
    direction_error_deg: float | None
    interval: list[Annotated[list[float | None], Field(min_length=2, max_length=2)]]
    defect: float | None
    defect_interval: Annotated[list[float | None], Field(min_length=2, max_length=2)] | None
    tier: Literal["exact", "approximate"]


class _Content(_Part):
    engine: str
    verdict: Literal["symmetry", "no symmetry", "undecided"]
    reason: str
    kind: str
    data: _Data
    basis: str
    terms: list[str]
    generators: list[_Generator]
    algebra: dict[str, Any]
    evidence: dict[str, Any]
    fit: dict[str, Any]
    actions: dict[str, Any]
    seconds: float | None
    seed: Count
    settings: dict[str, Any]
    version: str
    versions: dict[str, str]
    files: list[str]


def field_answer(
    content: Mapping[str, Any], state: Mapping[str, bytes], basis: Basis | None, where: str
) -> FieldAnswer:
    """The answer whose ``to_dict()`` and files these are.

    Raises
    ------
    InputError
        Entries that are missing or wrong, files that do not fit.
    """
    try:
        _Content.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        told = f"{quoted(place)} ({first['msg'].lower()})"
        raise InputError(f"expected a complete result in {where}, got a wrong or missing entry: {told}") from None
    ndim = content["data"]["ndim"]
    fields = stored_basis(content["basis"], content["terms"], basis, ndim)
    arrays = arrays_of(state.get("fitted.npz", b""), "fitted.npz")
    points = arrays.get("points", np.zeros((0, 0)))
    if points.ndim != 2 or points.shape[1] != ndim or points.dtype.kind != "f":
        raise InputError(f"expected points of {ndim} coordinates in fitted.npz, got shape {quoted(points.shape)}")
    domain = Cloud(points)
    generators = tuple(
        DetectedGenerator(
            Generator(g["coefficients"], fields, domain),
            _number(g["direction_error_deg"]),
            np.array(g["interval"], dtype=np.float64).reshape(fields.dimension, 2),
            _number(g["defect"]),
            None
            if g["defect_interval"] is None
            else (_number(g["defect_interval"][0]), _number(g["defect_interval"][1])),
            g["tier"],
        )
        for g in content["generators"]
    )
    actions = dict(content["actions"])
    if actions:
        actions["basis"] = stored_basis(actions["basis"], actions.pop("terms"), None, actions.pop("ndim"))
        actions["coefficients"] = np.array(actions["coefficients"], dtype=np.float64)
    return FieldAnswer(
        engine=content["engine"],
        verdict=content["verdict"],
        reason=content["reason"],
        pairs=int(content["data"]["points"]),
        basis=fields,
        generators=generators,
        algebra=content["algebra"],
        evidence=content["evidence"],
        seconds=_number(content["seconds"]),
        seed=int(content["seed"]),
        settings=content["settings"],
        version=content["version"],
        versions=content["versions"],
        kind=content["kind"],
        state=state,
        domain=domain,
        fit=content["fit"],
        actions=actions,
        **nothing_measured(len(generators)),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
