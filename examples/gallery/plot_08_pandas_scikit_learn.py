"""
In a pandas and scikit-learn pipeline
=====================================

``SymmetryDetector`` is an ordinary estimator: it can be cloned, searched over and scored. Here it chooses its own basis
by cross-validation, and the magnitudes that it measures become a column of a table like any other.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from liescope import SymmetryDetector
from liescope.data import load_corpus, pairs_from

TINY = bool(os.environ.get("LIESCOPE_TINY"))

# %%
# Two cameras take each picture twice. Between the shots camera A is shaken sideways by a few pixels, camera B by less
# and always to the right. The table knows which camera took which pair.

images = np.asarray(load_corpus("mnist-5k").images)[:: 20 if TINY else 8]
half = len(images) // 2
shaken = pairs_from(images[0::2], transform="translation-x", law="uniform:-4,4", order=3, seed=4)
drifting = pairs_from(images[1::2], transform="translation-x", law="uniform:0.5,1.5", order=3, seed=5)
source = np.concatenate([shaken.source, drifting.source])
target = np.concatenate([shaken.target, drifting.target])
table = pd.DataFrame({"camera": ["A"] * len(shaken.source) + ["B"] * len(drifting.source)})

# %%
# Which basis, and is it known that there is one generator? The score is the share of the difference between source and
# target that moving the source explains, on pairs of the other folds. The larger basis can express the same motion and
# does no better on them; where scores are alike, the smaller one is the better answer.

choices = {"basis": ["translations", "affine"], "n_generators": ["auto", 1]}
search = GridSearchCV(SymmetryDetector(), choices, cv=3).fit(source, target)
columns = ["param_basis", "param_n_generators", "mean_test_score", "std_test_score"]
print(pd.DataFrame(search.cv_results_)[columns].round(4).to_string(index=False))

# %%
# The magnitudes of all pairs in pixels, beside the cameras.

detector = SymmetryDetector(basis="translations").fit(source, target)
found = detector.generators_[0]
table["shift"] = detector.magnitudes_[:, 0] * found.unit_per_t
table["follows"] = detector.result_.accepted
print(found)
print(table.groupby("camera")["shift"].describe().round(2).to_string())

# %%
fig, ax = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
bins = np.linspace(-4.5, 4.5, 46)
for camera, colour, pattern in (("A", "#1f6fb2", None), ("B", "#c24e00", "///")):
    shifts = table.loc[table["camera"] == camera, "shift"]
    ax.hist(shifts, bins, label=f"camera {camera}", edgecolor=colour, fill=pattern is None, hatch=pattern, color=colour)
ax.set_xlabel("shift to the right (pixels)")
ax.set_ylabel("pairs")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# New pairs are measured with what was learnt, without fitting again.

truth = shaken.natural_magnitude[:5, 0]
measured = detector.predict_magnitude(shaken.source[:5], shaken.target[:5])[:, 0] * found.unit_per_t
print(pd.DataFrame({"true": truth, "measured": measured}).round(2).to_string(index=False))
