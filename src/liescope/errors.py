"""What failures look like: exceptions with one clear line, and did-you-mean."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["ComputationError", "InputError", "suggest"]


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
