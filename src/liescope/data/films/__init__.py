"""Films: frames from files of many kinds, and the pairs that they make."""

from liescope.data.films.pairing import as_film, check_lags, film_pairs, frame_rows
from liescope.data.films.reading import holds_film, read_film
from liescope.data.films.writing import FILM_SUFFIXES, write_film

__all__ = [
    "FILM_SUFFIXES",
    "as_film",
    "check_lags",
    "film_pairs",
    "frame_rows",
    "holds_film",
    "read_film",
    "write_film",
]
