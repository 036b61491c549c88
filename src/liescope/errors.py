"""What failures look like: exceptions with one clear line, did-you-mean, and packages that are not installed."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Iterable

__all__ = ["ComputationError", "InputError", "require_packages", "suggest"]

_EXTRAS: dict[str, str | None] = {
    "albumentations": None,
    "astropy": "data",
    "av": "data",
    "emlp": None,
    "escnn": None,
    "h5py": "data",
    "imagecodecs": "data",
    "imageio": "data",
    "kornia": None,
    "lightning": "latent",
    "mlxtend": "digits",
    "pooch": "data",
    "requests": "data",
    "skimage": "data",
    "sklearn": None,
    "tifffile": "data",
    "torchvision": None,
    "urllib3": "data",
}


class InputError(ValueError):
    """Bad input or usage: the message is one line, "expected ..., got ..., try ..."."""


class ComputationError(RuntimeError):
    """Work that could not be finished though the input was right: one line that says why and what is kept."""


def suggest(name: str, choices: Iterable[str]) -> str:
    """The tail of an error message about an unknown name.

    Parameters
    ----------
    name : str
        What the user wrote.
    choices : iterable of str
        The names that exist.

    Returns
    -------
    str
        ``" Did you mean 'rotation'?"`` where a choice is close, else the list of all choices.
    """
    known = sorted(choices)
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(known)}."


def require_packages(*names: str) -> None:
    """Check that packages which are not installed with this one can be imported.

    Parameters
    ----------
    names : str
        As they are imported.

    Raises
    ------
    InputError
        One is not installed; the message says which extra brings it, or that it is installed by its own name.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            extra = _EXTRAS[name]
            wanted = name if extra is None else f"'liescope[{extra}]'"
            raise InputError(f"expected the package {name}, got none, try pip install {wanted}")
