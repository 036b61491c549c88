"""
A basis of your own
===================

Nothing ties liescope to polynomials. If you suspect a motion, write down its field: here a vortex, which turns the
middle of the picture quickly and its edge hardly at all.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
import torch

from liescope import detect
from liescope.data import load_corpus
from liescope.geometry import Grid, affine, field_basis
from liescope.report import plot_field, plot_magnitudes

TINY = bool(os.environ.get("LIESCOPE_TINY"))


def vortex(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Components u and v: a rotation that fades with the distance from the middle."""
    fade = torch.exp(-4 * (x**2 + y**2))
    return -y * fade, x * fade


# %%
# Pairs are made with SciPy, by the vortex's own formula: a point at distance r turns by t exp(-4 r²). The detector
# does not see this code.

images = np.asarray(load_corpus("mnist-5k").images)[:: 20 if TINY else 6] / 255.0
rng = np.random.default_rng(0)
t = rng.uniform(-1.5, 1.5, len(images))
side = images.shape[1]
x, y = np.meshgrid(*[(np.arange(side) - (side - 1) / 2) / (side / 2)] * 2)
y = -y  # rows count downwards, y points up
targets = np.empty_like(images)
for image, amount, target in zip(images, t, targets, strict=True):
    angle = -amount * np.exp(-4 * (x**2 + y**2))  # content arrives from where the flow was before
    from_x, from_y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    places = [(side - 1) / 2 - from_y * side / 2, (side - 1) / 2 + from_x * side / 2]
    scipy.ndimage.map_coordinates(image, places, output=target, order=3)

# %%
# The basis: all affine fields and the vortex. Seven candidates, and the detector is to find the one that matters.

basis = affine() + field_basis({"vortex": vortex}, name="vortex")
result = detect(images, targets, basis=basis)
found = result.generators[0].generator
print(result.summary())
print(dict(zip(basis.terms, np.round(found.coefficients, 3).tolist(), strict=True)))

# %%
# The magnitudes come back in units of the field as it was written, since its coefficient is the generator's norm.

error = np.abs(result.natural[:, 0] - t)
print(f"median error of t: {np.median(error):.4f} of a range of 3")

fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained", width_ratios=(1, 1.5))
plot_field(found, ax=left)
plot_magnitudes(result, ax=right)

# %%
# The grid's own coordinates are those of the formula above: one rule for every image size.

points = Grid.of(side, side).points().numpy().reshape(side, side, 2)
print("same coordinates:", np.allclose(points, np.stack([x, y], axis=-1)))

# %%
# The affine basis alone has no vortex. What it finds instead is the rotation that fits the middle best, and much of
# the difference stays.

without = detect(images, targets, basis="affine")
for name, one in (("with the vortex", result), ("affine only", without)):
    explained = 1 - one.evidence["heldout_error"] / one.evidence["identity_error"]
    kinds = ", ".join(g.generator.name for g in one.generators) or "none"
    print(f"{name}: {one.verdict} ({kinds}), {100 * explained:.1f} % of the difference explained")
