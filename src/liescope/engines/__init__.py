"""The engines: ways to find generators in data, side by side under one contract."""

from liescope.engines.contract import Engine, Fit, Fitted, Measured, Progress, Settings, SpanEstimate, Start
from liescope.engines.pair_set import GreyScale, PairSet
from liescope.engines.registry import AUTO, ENGINES, choose_engine, engine_names, restore

__all__ = [
    "AUTO",
    "ENGINES",
    "Engine",
    "Fit",
    "Fitted",
    "GreyScale",
    "Measured",
    "PairSet",
    "Progress",
    "Settings",
    "SpanEstimate",
    "Start",
    "choose_engine",
    "engine_names",
    "restore",
]
