"""Registration of pictures whose content goes on beyond their border: films, photographs, cameras."""

from liescope.engines.registration.pictures.engine import fit_pictures
from liescope.engines.registration.pictures.fixed_pixels import fixed_pixels, without_pixels
from liescope.engines.registration.pictures.span import PictureSpan

__all__ = ["PictureSpan", "fit_pictures", "fixed_pixels", "without_pixels"]
