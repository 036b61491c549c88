"""The estimator's parameters, looked at before any work; one message tells every fault."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from liescope.engines import ENGINES, engine_names
from liescope.engines.contract import BORDERS
from liescope.engines.devices import available_device
from liescope.errors import InputError, suggest
from liescope.geometry import Basis, get_basis

__all__ = ["Parameters", "checked_parameters"]


@dataclass(frozen=True)
class Parameters:
    """The parameters of :class:`liescope.SymmetryDetector`, of whatever type people gave."""

    engine: Any
    basis: Any
    n_generators: Any
    random_state: Any
    device: Any
    progress: Any
    config: Any
    work_dir: Any
    resume: Any
    border: Any

    @classmethod
    def of(cls, holder: object) -> Parameters:
        """The attributes of that name."""
        return cls(*(getattr(holder, one.name) for one in fields(cls)))


def checked_parameters(parameters: Parameters) -> tuple[Basis, Any]:
    """Basis and the engine's own settings, after all parameters were looked at; one message tells every fault."""
    faults = []
    if parameters.engine not in engine_names():
        faults.append(f"unknown engine {parameters.engine!r}.{suggest(str(parameters.engine), engine_names())}")
    basis: Basis | None = None
    try:
        basis = get_basis(parameters.basis)
    except InputError as error:
        faults.append(str(error))
    k = parameters.n_generators
    if k != "auto" and not (isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1):
        faults.append(f"expected n_generators 'auto' or an integer of at least 1, got {k!r}")
    elif basis is not None and k != "auto" and int(k) > basis.dimension:
        faults.append(f"expected at most {basis.dimension} generators in basis {basis.name!r}, got {k}")
    try:
        available_device(parameters.device)
    except InputError as error:
        faults.append(str(error))
    if not isinstance(parameters.random_state, int | np.integer) or parameters.random_state < 0:
        faults.append(f"expected random_state to be an integer of at least 0, got {parameters.random_state!r}")
    if parameters.border not in BORDERS:
        faults.append(f"unknown border {parameters.border!r}.{suggest(str(parameters.border), BORDERS)}")
    options = None
    used = ENGINES[parameters.engine].parameters if parameters.engine in ENGINES else frozenset()
    named = {"config": parameters.config, "work_dir": parameters.work_dir, "resume": parameters.resume or None}
    for name in (name for name, value in named.items() if value is not None and name not in used):
        able = " or ".join(f"engine={one!r}" for one, engine in ENGINES.items() if name in engine.parameters)
        faults.append(f"{name} is for {able} only")
    # Settings are looked at even where they are not asked for: then all is told at once.
    readers = (
        [parameters.engine] if "config" in used else [one for one in ENGINES if "config" in ENGINES[one].parameters]
    )
    for name in readers if "config" in used or parameters.config is not None else ():
        try:
            options = ENGINES[name].configured(parameters.config)
        except InputError as error:
            faults.append(str(error))
    if parameters.resume and "resume" in used and parameters.work_dir is None:
        faults.append("expected work_dir with resume=True, got none")
    if faults or basis is None:
        raise InputError("; ".join(faults))
    return basis, options
