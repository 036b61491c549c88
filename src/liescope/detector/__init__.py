"""One estimator and one function over all engines."""

from liescope.detector.estimator import ENGINES, SymmetryDetector, detect
from liescope.detector.registered import Progress

__all__ = ["ENGINES", "Progress", "SymmetryDetector", "detect"]
