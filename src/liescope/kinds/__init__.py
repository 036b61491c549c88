"""Symmetries of what is no pair of images: functions and trained networks, clouds, laws of motion."""

from liescope.kinds.calling import detect_invariance

__all__ = ["detect_invariance"]
