"""
Galaxies: which flow leaves a measured label as it is?
======================================================

Cut-outs of the Hubble Deep Field (they ship with scikit-image) have no labels, so they are measured here: is a source
longer than most? Whatever way it lies, it stays as long. Do 200 labels say so?
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope.data import load_corpus
from liescope.type2 import Type2Classifier, select_scheme

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# Second moments under a round window tell how long a source is: 0 for a round one.

images = np.asarray(load_corpus("hubble").images).astype(np.float32) / 255.0
side = images.shape[1]
y, x = np.mgrid[:side, :side] - (side - 1) / 2
window = np.exp(-(x**2 + y**2) / (2 * (side / 5) ** 2))


def elongation(image: np.ndarray) -> float:
    """One less the ratio of the axes."""
    light = np.clip(image - np.median(image), 0, None) * window
    light = light / light.sum()
    u, v = x - (light * x).sum(), y - (light * y).sum()
    mixed = (light * u * v).sum()
    short, long = np.linalg.eigvalsh([[(light * u * u).sum(), mixed], [mixed, (light * v * v).sum()]])
    return float(1 - np.sqrt(short / long))


lengths = np.array([elongation(image) for image in images])
labels = np.where(lengths > np.median(lengths), "long", "round")

fig, axes = plt.subplots(2, 7, figsize=(7.2, 2.3), layout="constrained")
for row, places in zip(axes, (np.argsort(lengths)[:7], np.argsort(lengths)[-7:]), strict=True):
    for ax, place in zip(row, places, strict=True):
        ax.imshow(np.sqrt(images[place]), cmap="gray")
        ax.set_xticks([])
        ax.set_yticks([])
    row[0].set_ylabel(labels[places[0]])

# %%
# The first of the shuffled cut-outs are learnt from. Where the weight of the first scheme is below 0.95 or so, others
# may do as well.

order = np.random.default_rng(0).permutation(len(images))
few, test = order[: 80 if TINY else 200], order[200:]
choice = select_scheme(images[few], labels[few], ["rotation", "scale", "translation"])
print(choice)

# %%
# The network along it beside one that shares nothing. With so few images to test on, a score is sure to some 5 points.

for schemes in ("none", choice.best):
    model = Type2Classifier(schemes=schemes, steps=30 if TINY else 400).fit(images[few], labels[few])
    print(f"{model.scheme_.name}: {100 * model.score(images[test], labels[test]):.0f} % of {len(test)} are right")

# %%
# What the labels say of every scheme, and how sure: the bars are nats over no sharing, the lines 95 % of what the
# bootstrap draws.

fig, ax = plt.subplots(figsize=(6.0, 2.0), layout="constrained")
for place, row in enumerate(reversed(choice.table)):
    ax.barh(place, row.nats, color="#1f6fb2")
    ax.plot(row.interval, (place, place), color="#c24e00")
ax.set_yticks(range(len(choice.table)), [row.scheme.name for row in reversed(choice.table)])
ax.set_xlabel("nats over no sharing")
ax.spines[["top", "right"]].set_visible(False)
