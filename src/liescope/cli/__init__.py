"""The ``liescope`` command."""

from liescope.cli.application import app
from liescope.cli.run import main

__all__ = ["app", "main"]
