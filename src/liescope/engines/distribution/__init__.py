"""Generators and laws of magnitudes from two distributions, whether their images come in pairs or not."""

from liescope.engines.distribution.engine import DistributionEngine

__all__ = ["DistributionEngine"]
