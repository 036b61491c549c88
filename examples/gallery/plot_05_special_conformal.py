"""
Beyond affine maps: a special conformal transformation
======================================================

A special conformal transformation bends straight lines into circles and keeps all angles. Its field is quadratic,
(x² - y²) ∂x + 2xy ∂y, so it lies outside of the six affine fields, and the basis must be larger for it to be found.
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope import detect
from liescope.data import make_pairs
from liescope.evaluation import field_cosine
from liescope.report import plot_field

TINY = bool(os.environ.get("LIESCOPE_TINY"))

pairs = make_pairs("symnist", transform="sct-x", range=0.5, order=3, pairs=250 if TINY else 1000, seed=0)

# %%
# First the wrong basis. No affine field bends a line, so there is nothing in it that explains pairs which were held
# out. The verdict says so, instead of giving the least bad affine field a name.

affine = detect(pairs.source, pairs.target, basis="affine")
quadratic = detect(pairs.source, pairs.target, basis="quadratic")
for name, one in (("affine", affine), ("quadratic", quadratic)):
    left_over = one.evidence["heldout_error"] / one.evidence["identity_error"]
    kinds = ", ".join(g.generator.name for g in one.generators) or "nothing"
    print(f"{name}: {one.verdict}, {kinds}; {100 * left_over:.0f} % of the difference is left on held-out pairs")

# %%
print(quadratic.summary())
found = quadratic.generators[0].generator
cosine = field_cosine(pairs.meta["generators"][0], found.coefficients, basis="quadratic")
print(f"cosine with the truth: {cosine:.5f}")

# %%
# The found field, and what its flow does to a ruled sheet: lines become circles, right angles stay right.

fig, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.6), layout="constrained")
plot_field(found, ax=left)
ruled = np.linspace(-1, 1, 201)
for level in np.linspace(-0.8, 0.8, 9):
    for line in (np.stack([ruled, 0 * ruled + level], -1), np.stack([0 * ruled + level, ruled], -1)):
        x, y = found.flow(line, 0.35 / found.unit_per_t).T
        right.plot(x, y, color="#1f6fb2", linewidth=0.9)
right.set_xlim(-1.2, 1.2)
right.set_ylim(-1.2, 1.2)
right.set_aspect("equal")
right.set_xlabel("x")
right.set_ylabel("y")
right.set_title("a ruled sheet, moved", fontsize=9)

# %%
# The flow of a quadratic field has no matrix exponential. It is known in closed form for this one, z / (1 - tz) with
# z = x + iy, which is an independent check of what was found.

z = np.array([0.3 + 0.2j, -0.4 + 0.1j, 0.1 - 0.5j])
t = 0.35
moved = found.flow(np.stack([z.real, z.imag], -1), t / found.unit_per_t)
exact = z / (1 - t * z)
print(f"largest distance from the closed form: {np.abs(moved[:, 0] + 1j * moved[:, 1] - exact).max():.4f}")
