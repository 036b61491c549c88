"""
When there is none, and how sure that is
========================================

"No symmetry" is an answer, and often the most useful one. These are four sets of pairs of which only the first has a
symmetry. What tells them apart is what the same fit does to pairs whose targets were swapped.
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope import detect
from liescope.data import load_corpus, make_pairs

TINY = bool(os.environ.get("LIESCOPE_TINY"))

count = 300 if TINY else 1000
rng = np.random.default_rng(0)
digits = np.asarray(load_corpus("mnist-5k").images) / 255.0
moved = make_pairs("symnist", transform="rotation", range=40, order=3, pairs=count, seed=0)
sets = {
    "rotated": (moved.source, moved.target),
    "targets swapped": (moved.source, rng.permutation(moved.target)),
    "unrelated digits": (digits[rng.permutation(5000)[:count]], digits[rng.permutation(5000)[:count]]),
    "noise": (rng.random((count, 28, 28)), rng.random((count, 28, 28))),
}

# %%
results = {name: detect(source, target) for name, (source, target) in sets.items()}
for name, result in results.items():
    print(f"{name}: {result.verdict}, p = {result.evidence['p_value']:.2g}")
    print(f"    {result.reason}")

# %%
# A further generator always lowers the error a little, on any images: it is one more way to deform. The blue bar says
# what is left of held-out pairs' error, the orange one what the same procedure leaves of swapped pairs. Only where the
# two differ is there anything that the pairs share.

fig, ax = plt.subplots(figsize=(7.0, 2.8), layout="constrained")
place = np.arange(len(results))
for offset, key, colour, hatch in (
    (-0.19, "heldout_error", "#1f6fb2", None),
    (0.19, "permuted_error", "#c24e00", "///"),
):
    heights = [result.evidence[key] for result in results.values()]
    label = "held-out pairs" if key == "heldout_error" else "swapped targets"
    ax.bar(place + offset, heights, 0.36, label=label, edgecolor=colour, color=colour, fill=hatch is None, hatch=hatch)
ax.set_xticks(place, list(results))
ax.set_ylabel("error after moving")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# A mixture: every third target belongs to another source. The symmetry is found all the same, and the pairs that do not
# follow it are marked.

wrong = np.arange(count) % 3 == 0
target = moved.target.copy()
target[wrong] = np.roll(target[wrong], 1, axis=0)
mixed = detect(moved.source, target)
print(mixed.summary())
print(f"intruders marked: {np.mean(~mixed.accepted[wrong]):.0%}, others kept: {np.mean(mixed.accepted[~wrong]):.0%}")

# %%
# How sure about one pair: some digits do not show how far they were turned. The standard error of t says so, and the
# most and the least certain pairs look as one would expect.

order = np.argsort(results["rotated"].t_error[:, 0])
found = results["rotated"].generators[0].generator
fig, axes = plt.subplots(2, 6, figsize=(7.2, 2.9), layout="constrained")
for row, which in zip(axes, (order[:6], order[-6:]), strict=True):
    for ax, k in zip(row, which, strict=True):
        ax.imshow(moved.source[k], cmap="gray")
        error = abs(results["rotated"].t_error[k, 0] * found.unit_per_t)
        ax.set_title(f"\N{PLUS-MINUS SIGN}{error:.2g}°", fontsize=9)
        ax.set_xticks([])
        ax.set_yticks([])
axes[0, 0].set_ylabel("certain")
axes[1, 0].set_ylabel("uncertain")
