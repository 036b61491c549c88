"""What the package logs, shown on stderr where ``--verbose`` asks for it."""

from __future__ import annotations

import logging
import sys

from liescope import __version__

__all__ = ["hide_log", "log_is_shown", "show_log"]

_PACKAGE = logging.getLogger("liescope")


class _Shown(logging.StreamHandler):  # type: ignore[type-arg]
    """The command's own handler."""


def show_log(wanted: bool = True) -> None:
    """Lines of the log on stderr from now on, each with the seconds since the program began."""
    if not wanted or log_is_shown():
        return
    handler = _Shown(sys.stderr)
    handler.setFormatter(_Seconds())
    _PACKAGE.addHandler(handler)
    _PACKAGE.setLevel(logging.INFO)
    _PACKAGE.info("version %s, Python %s, %s", __version__, ".".join(map(str, sys.version_info[:3])), sys.platform)


def log_is_shown() -> bool:
    """Whether there are lines that bars would tear apart."""
    return any(isinstance(handler, _Shown) for handler in _PACKAGE.handlers)


def hide_log() -> None:
    """As it was before."""
    for handler in [one for one in _PACKAGE.handlers if isinstance(one, _Shown)]:
        _PACKAGE.removeHandler(handler)
        _PACKAGE.setLevel(logging.NOTSET)


class _Seconds(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """``liescope [1.2 s] what is done``, on one line."""
        return f"liescope [{record.relativeCreated / 1000:.1f} s] {' '.join(record.getMessage().split())}"
