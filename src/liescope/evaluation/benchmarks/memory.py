"""Memory of this process, where the operating system tells it (Linux)."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["peak_bytes", "reset_peak", "resident_bytes"]

_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"


def _status(key: str) -> int | None:
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith(f"{key}:")]
    return 1024 * int(kilobytes[0]) if kilobytes else None


def resident_bytes() -> int | None:
    """Memory that is resident now; None where it is not known."""
    return _status("VmRSS")


def peak_bytes() -> int | None:
    """The most that was resident since the start or :func:`reset_peak`; None where it is not known."""
    return _status("VmHWM")


def reset_peak() -> None:
    """Start :func:`peak_bytes` anew. Where that is not allowed the peak is an upper bound."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
