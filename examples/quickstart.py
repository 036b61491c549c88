"""Pairs in, generator out: the shortest use of liescope from Python.

Run it with ``python examples/quickstart.py`` (``--tiny``: a few hundred pairs).
"""

from __future__ import annotations

import sys

from liescope import detect
from liescope.data import make_pairs


def main(tiny: bool = False) -> None:
    """Detect a rotation in digit pairs and move new images with it."""
    pairs = make_pairs("symnist", transform="rotation", range=45, pairs=300 if tiny else 2000)
    result = detect(pairs.source, pairs.target, basis="affine")
    print(result.summary())

    # A quarter turn, by the generator that was found: t counts in units of the unit-norm generator.
    quarter = 90 / result.generators[0].generator.unit_per_t
    turned = result.transform(pairs.source[:10], quarter)
    print(f"moved images: {turned.shape}")


if __name__ == "__main__":
    main(tiny="--tiny" in sys.argv)
