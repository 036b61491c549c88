"""
Two motions at once, and the algebra they span
==============================================

Every target is turned *and* scaled, by two independent amounts. How many generators there are is decided on pairs
that the fit did not see: a further one must buy what it does not buy on pairs with swapped targets.
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope import detect
from liescope.algebra import canonical_coefficients, describe_algebra
from liescope.data import make_pairs
from liescope.evaluation import principal_angles
from liescope.geometry import affine
from liescope.report import plot_field

TINY = bool(os.environ.get("LIESCOPE_TINY"))

pairs = make_pairs("symnist", transform="rotation+scale", range=[40, 0.3], order=3, pairs=300 if TINY else 2000, seed=0)
result = detect(pairs.source, pairs.target)
print(result.summary())

# %%
# Which two generators are listed is partly taste: rotation and scale, or two spirals, span the same plane of fields.
# The angles between the two planes do not depend on that.

span = np.stack([g.generator.coefficients for g in result.generators])
angles = principal_angles(np.asarray(pairs.meta["generators"]), span)
print("principal angles with the truth:", np.round(angles, 3), "degrees")

fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), layout="constrained")
for ax, one in zip(axes, result.generators, strict=True):
    plot_field(one.generator, ax=ax)
    ax.set_title(one.generator.name)

# %%
# Both magnitudes of every pair were measured together. Here they are against the truth.

fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
true_names = pairs.meta["transform"].split("+")
for k, ax in enumerate(axes):
    generator = result.generators[k].generator
    truth = pairs.natural_magnitude[:, true_names.index(generator.name)]
    ax.scatter(truth, result.natural[:, k], s=5, color="#1f6fb2", alpha=0.6)
    ends = [truth.min(), truth.max()]
    ax.plot(ends, ends, color="#5a6270", linewidth=0.8)
    ax.set_title(generator.name)
    ax.set_xlabel(f"true ({generator.unit})")
    ax.set_ylabel(f"measured ({generator.unit})")

# %%
# Rotation and scale commute, so the algebra is abelian: the order of the two does not matter.

print(result.algebra["name"], "-", result.algebra["description"])

# %%
# A rotation and a shift do not commute. Their bracket is the other shift, so two motions generate a third, and the
# smallest algebra that holds both has dimension three: the rigid motions.

names = ("rotation", "translation-x")
two = np.stack([canonical_coefficients(name, affine()) for name in names], axis=1)
described = describe_algebra(two, affine(), (28, 28))
print(f"closed: {described.closed}; smallest closed algebra: {described.smallest_closed_name}")
