"""The paper's figures and tables again, one command each, with its claims put to the test."""

from __future__ import annotations

from liescope.reproduce.registry import FIGURES, figure_names, reproduce
from liescope.reproduce.study import Finding, Reproduction, Request

__all__ = ["FIGURES", "Finding", "Reproduction", "Request", "figure_names", "reproduce"]
