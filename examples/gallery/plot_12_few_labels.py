"""
Few labels: a network that takes its weight sharing from the data
=================================================================

Digits lie in every direction, and few of them are labelled. Convolutional networks share weights along shifts, by hand.
Which flow do *these* labels want to be shared along?
"""

import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import ndimage

from liescope.data import load_corpus
from liescope.type2 import Type2Classifier, learn_scheme, orbit_copies, select_scheme

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# SciPy turns the digits. Those at the front are labelled, the others are tested on.

corpus = load_corpus("mnist-5k")
rng = np.random.default_rng(0)
order = rng.permutation(5000)[: 200 if TINY else 1200]
labels = np.asarray(corpus.labels)[order]
images = np.stack(
    [ndimage.rotate(corpus.images[k] / 255.0, rng.uniform(-180, 180), reshape=False, order=1) for k in order]
).astype(np.float32)
few = slice(0, 60 if TINY else 200)
test = slice(few.stop, None)

fig, axes = plt.subplots(2, 8, figsize=(7.2, 1.9), layout="constrained")
for ax, image, label in zip(axes.flat, images, labels, strict=False):
    ax.imshow(image, cmap="gray")
    ax.set_title(str(label), fontsize=8)
    ax.set_axis_off()

# %%
# Schemes are compared by how probable they make the labels, in nats over no sharing. No network is trained for that.

choice = select_scheme(images[few], labels[few])
print(choice)

fig, ax = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
rows = sorted(choice.table, key=lambda row: row.nats)
ax.barh([row.scheme.name for row in rows], [row.nats for row in rows], color="#1f6fb2")
ax.set_xlabel("nats over no sharing")
ax.spines[["top", "right"]].set_visible(False)

# %%
# Nobody has to name candidates: the evidence can be climbed in the coefficients of a generator.

found = learn_scheme(images[few], labels[few], n_generators=1)
print(found.summary())

# %%
# What counts as the same digit from now on: the network sees these copies of an image and keeps the largest of its
# answers.

copies = orbit_copies(torch.as_tensor(images[:1, None]), choice.best)[0, :, 0]
fig, axes = plt.subplots(1, len(copies), figsize=(7.2, 0.7), layout="constrained")
for ax, image in zip(axes, copies, strict=True):
    ax.imshow(image, cmap="gray")
    ax.set_axis_off()

# %%
# Three networks of the same trunk: without sharing, along what was chosen, along what was learnt.

scores = {}
for name, schemes in (("no sharing", "none"), ("chosen", choice.best), ("learnt", found)):
    model = Type2Classifier(schemes=schemes, steps=60 if TINY else 400).fit(images[few], labels[few])
    scores[name] = model.score(images[test], labels[test])
    print(f"{name}: {100 * scores[name]:.1f} % of the test digits are named correctly")

fig, ax = plt.subplots(figsize=(5.6, 1.7), layout="constrained")
ax.barh(
    list(scores)[::-1], [100 * scores[name] for name in list(scores)[::-1]], color=["#1f6fb2", "#1f6fb2", "#5a6270"]
)
ax.set_xlabel("turned test digits named correctly (%)")
ax.spines[["top", "right"]].set_visible(False)
