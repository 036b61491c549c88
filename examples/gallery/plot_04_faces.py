"""
Faces: small pictures without a plain background
================================================

A hundred faces of 25 x 25 pixels (they ship with scikit-image), two or three pairs made of each. There are few of
them, they are coarse, and there is something everywhere in them: other content comes in over the border, and only what
source and target share is compared.
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope import detect
from liescope.data import load_corpus, pairs_from
from liescope.evaluation import field_cosine
from liescope.report import plot_field, plot_magnitudes

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# The faces lean to either side: a shear, x moves with y. Images are moved whole and cut to their middle 19 x 19 pixels,
# so that no border comes in.

corpus = load_corpus("faces")
faces = np.asarray(corpus.images)[np.asarray(corpus.labels) == corpus.label_names.index("face")]
pairs = pairs_from(faces, transform="shear-x", range=0.3, order=3, crop=19, pairs=200 if TINY else 300, seed=3)

fig, axes = plt.subplots(2, 7, figsize=(7.2, 2.4), layout="constrained")
for column in range(7):
    for ax, image in zip(axes[:, column], (pairs.source[column], pairs.target[column]), strict=True):
        ax.imshow(image, cmap="gray", vmin=0, vmax=1)
        ax.set_xticks([])
        ax.set_yticks([])
for ax, name in zip(axes[:, 0], ("source", "target"), strict=True):
    ax.set_ylabel(name)

# %%
result = detect(pairs.source, pairs.target)
print(result.summary())
found = result.generators[0].generator
cosine = field_cosine(pairs.meta["generators"][0], found.coefficients, shape=found.shape)
print(f"cosine with the truth: {cosine:.4f}")

# %%
# Three errors, each the mean over blocks of pixels that the fit did not see, as a share of the target's variance:
# source against target as they are, after moving the source, and of mirror images of the targets, which no motion
# reaches. What moving leaves is resampling, of which coarse pictures suffer most. Faces are nearly their own mirror
# images, and yet mirrored targets keep far more.

names = {"identity_error": "as they are", "heldout_error": "moved", "permuted_error": "mirrored targets"}
values = [result.evidence[key] for key in names]
fig, ax = plt.subplots(figsize=(5.2, 1.7), layout="constrained")
ax.barh(list(names.values()), values, color=["#5a6270", "#1f6fb2", "#c24e00"])
ax.bar_label(ax.containers[0], fmt=" %.3f")
ax.invert_yaxis()
ax.set_xlabel("error, share of the target's variance")
ax.spines[["top", "right"]].set_visible(False)
ax.margins(x=0.15)

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained", width_ratios=(1, 1.5))
plot_field(found, ax=left)
plot_magnitudes(result, ax=right)

# %%
# A single face is moved with the found generator from one end of the law to the other.

ends = np.linspace(-0.3, 0.3, 5) / found.unit_per_t
fig, axes = plt.subplots(1, 5, figsize=(7.2, 1.8), layout="constrained")
for ax, t in zip(axes, ends, strict=True):
    ax.imshow(result.transform(faces[0] / 255.0, t, border="edge"), cmap="gray", vmin=0, vmax=1)
    ax.set_title(f"{t * found.unit_per_t:+.2f}", fontsize=9)
    ax.set_axis_off()
