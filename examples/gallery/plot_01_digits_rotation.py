"""
Which transformation relates these digits?
==========================================

Two thousand pairs of handwritten digits. In each pair the second image is a turned copy of the first, by an angle of
its own, and nobody tells the detector that it was a rotation, how large it was, or that there was a single kind of
motion at all.
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope import detect
from liescope.data import make_pairs
from liescope.evaluation import field_cosine
from liescope.report import plot_field, plot_magnitudes

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# The pairs are made with cubic splines. The engine resamples linearly, so it cannot just undo what was done.

pairs = make_pairs("symnist", transform="rotation", range=60, order=3, pairs=300 if TINY else 2000, seed=0)

fig, axes = plt.subplots(2, 6, figsize=(7.2, 2.7), layout="constrained")
for column, (source, target) in enumerate(zip(pairs.source[:6], pairs.target[:6], strict=True)):
    for ax, image in zip(axes[:, column], (source, target), strict=True):
        ax.imshow(image, cmap="gray")
        ax.set_xticks([])
        ax.set_yticks([])
for ax, name in zip(axes[:, 0], ("source", "target"), strict=True):
    ax.set_ylabel(name)

# %%
# One call answers which, how much and how sure.

result = detect(pairs.source, pairs.target)
print(result.summary())

# %%
# The generator is a vector field: content moves along its arrows. The histogram is the law of the angle over the
# pairs. It was uniform between -60 and 60 degrees, and every angle was measured without being told so.

found = result.generators[0].generator
fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained", width_ratios=(1, 1.5))
plot_field(found, ax=left)
plot_magnitudes(result, ax=right)

# %%
# Here the truth is known, so the answer can be held against it. Generators are compared by the angle between the two
# vector fields, not coefficient by coefficient: that does not depend on sign or scale.

truth = np.asarray(pairs.meta["generators"][0])
angle = pairs.natural_magnitude[:, 0]
error = np.abs(result.natural[:, 0] - angle)
print(f"cosine of the two fields: {field_cosine(truth, found.coefficients):.6f}")
print(f"median error of the angle: {np.median(error):.3f} degrees")

# %%
# Every point is a pair. Those on the diagonal were measured right; what lies off it looks the same under another
# angle, or nearly: a round zero hardly shows that it was turned.

fig, ax = plt.subplots(figsize=(4.2, 4.0), layout="constrained")
ax.plot([-60, 60], [-60, 60], color="#5a6270", linewidth=0.8)
ax.scatter(angle, result.natural[:, 0], s=6, color="#1f6fb2", alpha=0.6)
ax.set_xlabel("true angle (degrees)")
ax.set_ylabel("measured angle (degrees)")
ax.set_aspect("equal")

# %%
# What was found can move any image, of any size. t counts in units of the unit-norm generator, ``unit_per_t`` turns
# that into degrees.

strip = [result.transform(pairs.source[:1], angle / found.unit_per_t)[0] for angle in (-90, -45, 0, 45, 90)]
fig, axes = plt.subplots(1, 5, figsize=(7.2, 1.8), layout="constrained")
for ax, image, degrees in zip(axes, strip, (-90, -45, 0, 45, 90), strict=True):
    ax.imshow(image, cmap="gray")
    ax.set_title(f"{degrees}°", fontsize=9)
    ax.set_axis_off()
