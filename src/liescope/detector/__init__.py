"""One estimator and one function over all engines."""

from liescope.detector.estimator import SymmetryDetector, detect
from liescope.engines import Progress

__all__ = ["Progress", "SymmetryDetector", "detect"]
