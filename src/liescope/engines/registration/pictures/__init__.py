"""Registration of pictures whose content goes on beyond their border: films, photographs, cameras."""

from liescope.engines.registration.pictures.engine import PictureSpan, fit_pictures

__all__ = ["PictureSpan", "fit_pictures"]
