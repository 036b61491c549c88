"""The engines there are, in the order in which ``auto`` asks them."""

from __future__ import annotations

from collections.abc import Mapping

from liescope.engines.contract import Engine, Fitted
from liescope.engines.distribution import DistributionEngine
from liescope.engines.latent import LatentEngine
from liescope.engines.pair_set import PairSet
from liescope.engines.registration import RegistrationEngine
from liescope.errors import InputError
from liescope.geometry import Basis

__all__ = ["AUTO", "ENGINES", "choose_engine", "engine_names", "restore"]

AUTO = "auto"
"""The name that leaves the choice of the engine to the data."""

ENGINES: dict[str, Engine] = {
    engine.name: engine for engine in (RegistrationEngine(), DistributionEngine(), LatentEngine())
}
"""Engines by name. One line here is all that a new one needs outside of its own folder."""


def engine_names() -> tuple[str, ...]:
    """What ``engine=`` and ``--engine`` accept."""
    return (AUTO, *ENGINES)


def choose_engine(name: str, data: PairSet) -> Engine:
    """The engine of that name, or for ``auto`` the first that takes the data.

    Raises
    ------
    InputError
        It cannot take the data, with its reason; for ``auto``, those of all.
    """
    asked = ENGINES if name == AUTO else {name: ENGINES[name]}
    reasons = []
    for engine in asked.values():
        reason = engine.accepts(data)
        if reason is None:
            return engine
        reasons.append(f"{engine.name}: {reason}")
    raise InputError(f"expected data that an engine can take, got none for {'; '.join(reasons)}")


def restore(name: str, state: Mapping[str, bytes], basis: Basis, device: str = "cpu") -> Fitted | None:
    """What an engine of that name kept of a fit, ready to measure with; None where it kept nothing."""
    if not state:
        return None
    if name not in ENGINES:
        raise InputError(f"expected a result of the engines {', '.join(ENGINES)}, got one of {name!r}")
    return ENGINES[name].restore(state, basis, device)
