"""What was found, handed to other libraries: their own objects, with no trace of a result folder."""

from liescope.handover.libraries import LIBRARIES, albumentations, emlp, escnn, kornia, sklearn, torchvision
from liescope.handover.matrices import lie_algebra
from liescope.handover.transformation import Transformation

__all__ = [
    "LIBRARIES",
    "Transformation",
    "albumentations",
    "emlp",
    "escnn",
    "kornia",
    "lie_algebra",
    "sklearn",
    "torchvision",
]
