"""
Galaxies: real images without a border
======================================

Cut-outs of the Hubble Deep Field (they ship with scikit-image). They have no black frame as digits do: whatever turns
out of the picture is lost, and something else comes in. The task ``galaxsym`` therefore moves a larger image and keeps
the middle.
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
# The magnitudes follow a law with three values: sizes times 0.7, 1 and 1.4, say.

pairs = make_pairs(
    "galaxsym",
    corpus="hubble",
    transform="scale",
    range=0.35,
    law="3-modal",
    order=3,
    pairs=250 if TINY else 700,
    seed=2,
)
print(f"{len(pairs.source)} pairs of {pairs.source.shape[1]} x {pairs.source.shape[2]} pixels")

bright = np.argsort(pairs.source.mean(axis=(1, 2)))[-6:]
fig, axes = plt.subplots(2, 6, figsize=(7.2, 2.7), layout="constrained")
for column, k in enumerate(bright):
    for ax, image in zip(axes[:, column], (pairs.source[k], pairs.target[k]), strict=True):
        ax.imshow(np.sqrt(image.clip(0, None)), cmap="gray")
        ax.set_xticks([])
        ax.set_yticks([])
for ax, name in zip(axes[:, 0], ("source", "target"), strict=True):
    ax.set_ylabel(name)

# %%
result = detect(pairs.source, pairs.target)
print(result.summary())
found = result.generators[0].generator
print(f"cosine with the truth: {field_cosine(pairs.meta['generators'][0], found.coefficients, shape=found.shape):.6f}")

# %%
# Scales are read as factors. The modes are marked.

fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained", width_ratios=(1, 1.5))
plot_field(found, ax=left)
plot_magnitudes(result, ax=right)

# %%
# What the border costs: the same transform on the small images themselves. Where content is lost and black comes in,
# pairs cannot be explained to the last pixel, and the residual says so.

framed = make_pairs(
    "symnist",
    corpus="hubble",
    transform="scale",
    range=0.35,
    law="3-modal",
    order=3,
    pairs=250 if TINY else 700,
    size=32,
    seed=2,
)
with_border = detect(framed.source, framed.target)
for name, one in (("middle kept", result), ("border comes in", with_border)):
    print(f"{name}: {one.verdict}, median residual {np.median(one.residual):.4f}")
