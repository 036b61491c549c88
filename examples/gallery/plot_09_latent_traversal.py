"""
A traversal through the latent space
====================================

The latent engine trains the paper's model: an encoder, a network that reads t off a pair, the exponential of the
generator on a latent image of 9 x 9, a decoder. It starts from what registration found. Besides generators and
magnitudes it has a decoder, which can show every image at every magnitude.
"""

import os

import matplotlib.pyplot as plt
import numpy as np

from liescope import SymmetryDetector
from liescope.data import make_pairs

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# With 5,000 pairs and 40 epochs, the default, a training takes about 40 seconds on two cores. This one is shorter.

pairs = make_pairs("symnist", transform="rotation", range=60, order=3, pairs=300 if TINY else 4000, seed=0)
settings = {"training": {"epochs": 12, "batch_size": 32} if TINY else {"epochs": 30}}
detector = SymmetryDetector(engine="latent", config=settings).fit(pairs.source, pairs.target)
print(detector.result_.summary())

# %%
# Each row is one digit, encoded once, moved by exp(tG) in the latent space, and decoded.

generator = detector.generators_[0]
angles = np.array([-60, -40, -20, 0, 20, 40, 60])
chosen = pairs.source[:4]
strip = detector.traverse(chosen, angles / generator.unit_per_t)

fig, axes = plt.subplots(4, 8, figsize=(7.6, 4.0), layout="constrained")
for row, image in enumerate(chosen):
    for column, picture in enumerate([image, *strip[row, :, 0]]):
        axes[row, column].imshow(picture, cmap="gray", vmin=0, vmax=1)
        axes[row, column].set_axis_off()
for ax, title in zip(axes[0], ["source", *(f"{angle}°" for angle in angles)], strict=True):
    ax.set_title(title, fontsize=9)

# %%
# The latent image itself obeys the same coordinates as the picture, so the same generator turns it. It is not a small
# picture of the digit, though: the encoder is free to write what it likes.

latents = detector.encode(chosen[:1]).reshape(-1, 9, 9)
fig, ax = plt.subplots(figsize=(2.6, 2.4), layout="constrained")
shown = ax.imshow(latents[0], cmap="PuOr", vmin=-np.abs(latents).max(), vmax=np.abs(latents).max())
fig.colorbar(shown, label="latent value")
ax.set_xticks([])
ax.set_yticks([])

# %%
# How the training went: mean squared errors of decoded images on pairs that were never trained on, after moving the
# latent (against the target) and without moving it (against the source).

history = detector.result_.latent.history
epochs = [row["epoch"] for row in history]
fig, ax = plt.subplots(figsize=(5.6, 2.6), layout="constrained")
ax.plot(epochs, [row["held_out_moved"] for row in history], color="#1f6fb2", label="moved")
ax.plot(epochs, [row["held_out_own"] for row in history], color="#c24e00", linestyle="--", label="reconstruction")
ax.axhline(
    np.mean((pairs.source - pairs.target) ** 2), color="#5a6270", linewidth=0.8, linestyle=":", label="do nothing"
)
ax.set_xlabel("epoch")
ax.set_ylabel("mean squared error")
ax.set_ylim(0)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# On new pairs the t-network answers in one pass, without registering anything.

new = make_pairs("symnist", transform="rotation", range=60, order=3, pairs=200, seed=9)
read = detector.predict_magnitude(new.source, new.target)[:, 0] * generator.unit_per_t
truth = new.natural_magnitude[:, 0]
print(f"correlation with the truth: {np.corrcoef(read, truth)[0, 1]:.3f}")
