"""
A rotation about a point that nobody named
==========================================

The centre of a rotation is part of the answer. It is not a parameter of the search: off the centre of the image the
field only gets a drift, and the drift is found like every other coefficient.
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope import detect
from liescope.data import make_pairs
from liescope.evaluation import field_cosine
from liescope.report import plot_field

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# The digits turn about column 18, row 9, which is up and to the right of the middle of their 28 x 28 pixels.

pairs = make_pairs(
    "symnist", transform="rotation", range=45, centre=(18, 9), order=3, pairs=300 if TINY else 2000, seed=1
)
result = detect(pairs.source, pairs.target)
found = result.generators[0]
print(result.summary())

# %%
# The equation says the same: the constant terms are the drift.

column, row = found.generator.centre_px
print(found.generator.equation)
print(f"centre: column {column:.2f}, row {row:.2f}; true: column 18, row 9")

# %%
# With one fixed point, sources and targets can be laid over each other: orange is the source, blue the target.

generator = found.generator
fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.5), layout="constrained")
plot_field(generator, ax=left)
largest = int(np.argmax(np.abs(result.natural[:, 0])))
source, target = pairs.source[largest], pairs.target[largest]
colours = np.stack([1 - target, 1 - 0.55 * source - 0.45 * target, 1 - source], axis=-1)
right.imshow(colours.clip(0, 1))
right.plot(column, row, marker="+", markersize=12, color="black")
right.set_title(f"pair {largest}: {result.natural[largest, 0]:.0f} degrees", fontsize=9)
right.set_xlabel("column")
right.set_ylabel("row")

# %%
# How sure: an interval for every coefficient, and an angle for the direction as a whole. They cover the scatter of the
# pairs. What all pairs share, here the splines that they were made with, no interval knows, and with this many pairs it
# is the larger part of the error.

truth = np.asarray(pairs.meta["generators"][0])
print("          found     95 % interval       true")
for term, value, (low, high), true in zip(
    result.basis.terms, generator.coefficients, found.interval, truth, strict=True
):
    print(f"{term:>7} {value:+.4f}  {low:+.4f} to {high:+.4f}  {true:+.4f}")
cosine = field_cosine(truth, generator.coefficients)
print(f"stated error of the direction: {found.direction_error_deg:.3f} degrees")
print(f"true error: {np.degrees(np.arccos(min(1.0, cosine))):.3f} degrees")
