"""
What for: augment a classifier with what was found
==================================================

A classifier that has seen few upright digits fails on turned ones. If unlabelled pairs show which motion occurs in the
world, the labelled images can be moved along it, and by amounts from the law that was measured.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.svm import SVC

from liescope import detect
from liescope.data import load_corpus, pairs_from

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# Unlabelled pairs come first: what moves in this world, and how far?

corpus = load_corpus("mnist-5k")
order = np.random.default_rng(0).permutation(5000)
images, labels = np.asarray(corpus.images)[order], np.asarray(corpus.labels)[order]

seen = pairs_from(images[: 300 if TINY else 1000], transform="rotation", range=50, order=3, seed=1)
result = detect(seen.source, seen.target)
print(result.summary())

# %%
# The classifier has 200 labelled upright digits. Copies of them are moved by what was found, by magnitudes drawn from
# those that were measured.

COPIES = 4 if TINY else 10


def augmented(upright: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Copies of the images, moved along the found symmetry by amounts from the measured law."""
    t = rng.choice(result.t[result.accepted], size=COPIES * len(upright))
    return result.transform(np.tile(upright, (COPIES, 1, 1)), t)


upright = images[1000:1007] / 255.0
moved = augmented(upright, np.random.default_rng(0))
fig, axes = plt.subplots(2, 7, figsize=(7.2, 2.4), layout="constrained")
for column in range(7):
    axes[0, column].imshow(upright[column], cmap="gray")
    axes[1, column].imshow(moved[column], cmap="gray")
for ax in axes.flat:
    ax.set_xticks([])
    ax.set_yticks([])
axes[0, 0].set_ylabel("labelled")
axes[1, 0].set_ylabel("moved")

# %%
# The test digits are turned and were not seen before. Beside the digits as they are and the found symmetry stands what
# one does by habit: as many copies, shifted by up to three pixels each way.


def shifted(upright: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Copies shifted by whole pixels."""
    shifts = rng.integers(-3, 4, size=(COPIES * len(upright), 2))
    copies = np.tile(upright, (COPIES, 1, 1))
    return np.stack([np.roll(image, shift, axis=(0, 1)) for image, shift in zip(copies, shifts, strict=True)])


def nothing(upright: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """No copies."""
    return upright[:0]


test = slice(2000, 2500 if TINY else 3500)
unseen = pairs_from(images[test], labels[test], transform="rotation", range=50, order=3, seed=2)
turned = unseen.target.reshape(-1, 784)
scores = {}
for name, augment in (("as they are", nothing), ("shifted copies", shifted), ("found symmetry", augmented)):
    scores[name] = []
    for trial in range(1 if TINY else 4):
        start = 1000 + 200 * trial
        upright, known = images[start : start + 200] / 255.0, labels[start : start + 200]
        more = augment(upright, np.random.default_rng(trial))
        training = np.concatenate([upright, more]).reshape(-1, 784)
        answers = np.concatenate([known, np.tile(known, len(more) // len(known))])
        scores[name].append(SVC(C=10, gamma="scale").fit(training, answers).score(turned, unseen.label))
    print(f"{name}: {100 * np.mean(scores[name]):.1f} % right, {100 * np.ptp(scores[name]):.1f} between trials")

# %%
# Each dot is a training set of its own.

fig, ax = plt.subplots(figsize=(5.6, 2.0), layout="constrained")
for k, (values, colour) in enumerate(zip(scores.values(), ("#5a6270", "#c24e00", "#1f6fb2"), strict=True)):
    ax.plot(100 * np.asarray(values), [k] * len(values), "o", color=colour)
ax.set_yticks(range(3), list(scores))
ax.set_ylim(2.5, -0.5)
ax.set_xlabel("turned test digits named correctly (%)")
ax.spines[["top", "right"]].set_visible(False)
