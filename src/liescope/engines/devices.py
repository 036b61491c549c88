"""Torch devices: whether this machine has one, and the random numbers drawn on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from liescope.errors import InputError

__all__ = ["available_device", "kept_random_state", "seed_random_state"]

_NOT_HERE = (RuntimeError, AssertionError, ImportError)  # what torch raises, depending on the kind of device


def available_device(device: str | None) -> torch.device:
    """The torch device of a name, after a number was sent there and back; the CPU where there is no name.

    Raises
    ------
    InputError
        No device's name, or a device that this machine, or this build of torch, does not have.
    """
    name = device or "cpu"
    try:
        found = torch.device(name)
    except (RuntimeError, TypeError):
        raise InputError(f"expected a torch device such as 'cpu' or 'cuda', got {device!r}, try device='cpu'") from None
    try:
        # Asking the device is the only sure test; a tensor alone says nothing, since 'meta' makes them without numbers.
        torch.ones(1, device=found).item()
    except _NOT_HERE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0].rstrip(".")
        raise InputError(f"expected a device of this machine, got {device!r}: {reason}, try device='cpu'") from None
    return found


def seed_random_state(seed: int, device: torch.device) -> None:
    """Seed torch's generators for work on one device: the CPU's and, if that is another, the device's.

    ``torch.manual_seed`` seeds those of all devices, and nothing puts them back.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device.index or 0):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def kept_random_state(device: torch.device) -> Iterator[None]:
    """Put torch's generators for work on one device back at the end, whatever was drawn or seeded within."""
    own = [] if device.type == "cpu" else [device.index or 0]
    with torch.random.fork_rng(devices=own, device_type="cuda" if device.type == "cpu" else device.type):
        yield
