"""One estimator and one function over all engines."""

from liescope.detector.estimator import ENGINE_NAMES, SymmetryDetector, detect
from liescope.engines import Progress

__all__ = ["ENGINE_NAMES", "Progress", "SymmetryDetector", "detect"]
