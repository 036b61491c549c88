"""The estimator's parameters, looked at before any work; one message tells every fault."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from liescope.engines import ENGINES, engine_names
from liescope.engines.contract import BORDERS
from liescope.engines.devices import available_device
from liescope.errors import InputError, suggest
from liescope.geometry import Basis, get_basis

__all__ = ["Parameters", "checked_parameters"]


@runtime_checkable
class Parameters(Protocol):
    """What is looked at: the parameters of :class:`liescope.SymmetryDetector`, of whatever type people gave."""

    engine: Any
    basis: Any
    n_generators: Any
    random_state: Any
    device: Any
    config: Any
    work_dir: Any
    resume: Any
    border: Any


def checked_parameters(detector: Parameters) -> tuple[Basis, Any]:
    """Basis and the engine's own settings, after all parameters were looked at; one message tells every fault."""
    faults = []
    if detector.engine not in engine_names():
        faults.append(f"unknown engine {detector.engine!r}.{suggest(str(detector.engine), engine_names())}")
    basis: Basis | None = None
    try:
        basis = get_basis(detector.basis)
    except InputError as error:
        faults.append(str(error))
    k = detector.n_generators
    if k != "auto" and not (isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1):
        faults.append(f"expected n_generators 'auto' or an integer of at least 1, got {k!r}")
    elif basis is not None and k != "auto" and int(k) > basis.dimension:
        faults.append(f"expected at most {basis.dimension} generators in basis {basis.name!r}, got {k}")
    try:
        available_device(detector.device)
    except InputError as error:
        faults.append(str(error))
    if not isinstance(detector.random_state, int | np.integer) or detector.random_state < 0:
        faults.append(f"expected random_state to be an integer of at least 0, got {detector.random_state!r}")
    if detector.border not in BORDERS:
        faults.append(f"unknown border {detector.border!r}.{suggest(str(detector.border), BORDERS)}")
    options = None
    used = ENGINES[detector.engine].parameters if detector.engine in ENGINES else frozenset()
    named = {"config": detector.config, "work_dir": detector.work_dir, "resume": detector.resume or None}
    for name in (name for name, value in named.items() if value is not None and name not in used):
        able = " or ".join(f"engine={one!r}" for one, engine in ENGINES.items() if name in engine.parameters)
        faults.append(f"{name} is for {able} only")
    # Settings are looked at even where they are not asked for: then all is told at once.
    readers = [detector.engine] if "config" in used else [one for one in ENGINES if "config" in ENGINES[one].parameters]
    for name in readers if "config" in used or detector.config is not None else ():
        try:
            options = ENGINES[name].configured(detector.config)
        except InputError as error:
            faults.append(str(error))
    if detector.resume and "resume" in used and detector.work_dir is None:
        faults.append("expected work_dir with resume=True, got none")
    if faults or basis is None:
        raise InputError("; ".join(faults))
    return basis, options
