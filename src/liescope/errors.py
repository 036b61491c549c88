"""What failures look like: exceptions with one clear line, did-you-mean, packages and memory that are not there."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = [
    "ComputationError",
    "InputError",
    "one_line",
    "quoted",
    "require_memory",
    "require_packages",
    "shortened",
    "suggest",
]

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
    "pandas": None,
    "pooch": "data",
    "requests": "data",
    "skimage": "data",
    "sklearn": None,
    "tifffile": "data",
    "torchvision": None,
    "urllib3": "data",
}

_DISTRIBUTIONS = {"cv2": "opencv-python-headless", "skimage": "scikit-image", "sklearn": "scikit-learn"}
"""Packages that are installed by another name than they are imported by."""

LITTLE_BYTES = 1 << 26
"""So much memory is taken without asking whether it is there."""


def one_line(text: str) -> str:
    """The text as one line that can be printed, whatever names and contents of files are quoted in it."""
    if text.isprintable():
        return text
    return " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in text).split())


def shortened(text: str, longest: int) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 5]} ... {text[-tail:]}"


def quoted(value: object, longest: int = 60) -> str:
    """A value that somebody wrote or a file holds, as it stands in a message."""
    return shortened(one_line(repr(value)), longest)


class InputError(ValueError):
    """Bad input or usage: the message is one line, "expected ..., got ..., try ..."."""

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


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
        One is not installed; the message says how to install it, and which extra brings it with its like.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise InputError(f"expected the package {name}, got none, try {install_hint(name, _EXTRAS[name])}")


def install_hint(name: str, extra: str | None) -> str:
    """What to type where a package is missing: its own name works everywhere, the extra in a copy of the sources."""
    alone = f"pip install {_DISTRIBUTIONS.get(name, name)}"
    return alone if extra is None else f"{alone}, or pip install '.[{extra}]' in a copy of the repository"


def _in_bytes(count: float) -> str:
    """A number of bytes as people say it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def free_memory() -> int | None:
    """Bytes of memory that this process can still take; None where the system does not say."""
    known = [bytes_free for bytes_free in (_of_the_system(), _of_the_container()) if bytes_free is not None]
    return min(known) if known else None


def _of_the_system() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return 1024 * (kilobytes["MemAvailable"] + kilobytes.get("SwapFree", 0))
    except (OSError, ValueError, LookupError):
        return None


def _of_the_container() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        most, used = (int((folder / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
        # What files are held in memory for speed is given back when it is needed.
        held = dict(_pairs_of_words((folder / "memory.stat").read_text(encoding="ascii"))).get("inactive_file", 0)
        return max(0, most - used + held)
    except (OSError, ValueError):  # none, or "max"
        return None


def _pairs_of_words(text: str) -> Iterator[tuple[str, int]]:
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        yield name, int(value)


def require_memory(needed: int, what: str, instead: str = "") -> None:
    """Check, before memory is taken, that there is enough of it.

    Parameters
    ----------
    needed : int
        Bytes.
    what : str
        What takes them, as it stands in a sentence: ``"frames of 'film.npz'"``.
    instead : str
        What to try.

    Raises
    ------
    InputError
        There is less; the message says how much would be needed.
    """
    if needed <= LITTLE_BYTES:
        return
    free = free_memory()
    if free is not None and needed > free:
        advice = f", try {instead}" if instead else ""
        raise InputError(
            f"expected {what} to fit into memory, got {_in_bytes(needed)} needed and {_in_bytes(free)} free{advice}"
        )
