"""Estimators of scikit-learn's kind: a network along the scheme that labels choose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from liescope.errors import InputError
from liescope.type2.choice import CANDIDATES, SchemeChoice, select_scheme
from liescope.type2.labelled import LEAST_LABELS, LEAST_SIDE, images_of
from liescope.type2.network import OrbitNetwork, train
from liescope.type2.scheme import NONE, Scheme, as_scheme

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6
    validate_data = BaseEstimator._validate_data

__all__ = ["Type2Classifier", "Type2Regressor"]

_CHUNK = 1 << 24  # values of copies at a time


class _Type2(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share: the scheme, the network, its training."""

    def __init__(
        self,
        schemes: Any = "auto",
        trunk: Any = "dense",
        features: Any = 128,
        steps: Any = 400,
        image_shape: Any = None,
        random_state: Any = 0,
    ) -> None:
        # Checked when it is fitted, as scikit-learn wants it.
        self.schemes = schemes
        self.trunk = trunk
        self.features = features
        self.steps = steps
        self.image_shape = image_shape
        self.random_state = random_state

    def _fitted(self, x: np.ndarray, y: np.ndarray, targets: Tensor, outputs: int) -> None:
        """Choose the scheme and train the network on targets."""
        for name, least in (("features", 1), ("steps", 1), ("random_state", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < least:
                raise InputError(f"expected {name} to be a whole number of at least {least}, got {value!r}")
        images = self._scaled(x, fit=True)
        height, width = images.shape[2:]
        self.scheme_, self.choice_ = self._chosen(images, y)
        self.posterior_: Mapping[str, float] = (
            {self.scheme_.name: 1.0} if self.choice_ is None else dict(self.choice_.weights)
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            self.network_ = OrbitNetwork(
                self.scheme_,
                (height, width),
                outputs,
                channels=images.shape[1],
                trunk=self.trunk if height > 1 else _plain(images, self.features),
                features=self.features,
            )
        self.loss_ = train(self.network_, images, targets, steps=self.steps, seed=self.random_state)

    def _chosen(self, images: Tensor, y: np.ndarray) -> tuple[Scheme, SchemeChoice | None]:
        height, width = images.shape[2:]
        if min(height, width) < LEAST_SIDE:
            # Vectors, and pictures too small to be moved: there is nothing to share along.
            return Scheme.none(), None
        asked = self.schemes
        automatic = isinstance(asked, str) and asked == "auto"
        several = isinstance(asked, Sequence) and not isinstance(asked, str)
        if not automatic and not (several and len(asked) > 1):
            return as_scheme(asked[0] if several else asked, (height, width)), None
        if len(images) < LEAST_LABELS:
            raise InputError(
                f"expected at least {LEAST_LABELS} images to choose a scheme, got {len(images)}, try schemes='{NONE}'"
            )
        candidates = CANDIDATES if automatic else asked
        choice = select_scheme(images, y, candidates, random_state=self.random_state)
        return choice.best, choice

    def _scaled(self, x: np.ndarray, fit: bool = False) -> Float[Tensor, "n c h w"]:
        """Images whose background is 0 and whose values have a spread of 1."""
        images = self._images(x)
        if fit:
            around = torch.cat([images[..., [0, -1], :].flatten(), images[..., :, [0, -1]].flatten()])
            vectors = images.shape[2] == 1
            self.background_ = images.mean(dim=0) if vectors else around.median()
            spread = images.std(dim=0, correction=0) if vectors else images.std()
            self.scale_ = torch.where(spread > 0, spread, 1.0)
        return (images - self.background_) / self.scale_

    def _images(self, x: np.ndarray) -> Float[Tensor, "n c h w"]:
        tensor = torch.as_tensor(np.asarray(x, dtype=np.float32))
        if tensor.ndim > 2:
            return images_of(tensor)
        count, length = tensor.shape
        shape = self.image_shape
        if shape is None:
            side = math.isqrt(length)
            shape = (side, side) if side * side == length and side >= LEAST_SIDE else (1, length)
        if math.prod(shape) != length:
            raise InputError(f"expected rows of {math.prod(shape)} values for images of {shape}, got {length}")
        return tensor.reshape(count, 1, *shape)

    def _outputs(self, X: Any) -> Float[np.ndarray, "n o"]:
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, allow_nd=True, dtype="numeric")
        images = self._scaled(x)
        size = max(1, _CHUNK // (self.scheme_.size * images[0].numel()))
        with torch.no_grad():
            outputs = torch.cat([self.network_(part) for part in torch.split(images, size)])
        return outputs.double().numpy()


def _plain(images: Tensor, features: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), features), nn.ReLU())


class Type2Classifier(ClassifierMixin, _Type2):  # type: ignore[misc]
    """A network that shares its weights along the scheme which the labels choose.

    Parameters
    ----------
    schemes : "auto", name, Scheme, SymmetryResult, or a sequence of these
        Candidates (:func:`select_scheme`; ``auto``: :data:`CANDIDATES`), or the one scheme to be used.
    trunk : {"dense", "cnn"}
    features : int
        Of the trunk.
    steps : int
        Batches of 64 images that are trained with.
    image_shape : (int, int), optional
        Of rows, where X has two axes; default square, and rows that are no square of 8 pixels or more are vectors,
        for which nothing can be shared.
    random_state : int

    Attributes
    ----------
    classes_ : array
    scheme_ : Scheme
    choice_ : SchemeChoice or None
        Where several schemes were compared.
    posterior_ : dict of str to float
        Weight of every scheme.
    network_ : OrbitNetwork
    """

    def fit(self, X: Any, y: Any) -> Type2Classifier:
        """Choose and train: X (n, H, W), (n, C, H, W) or (n, H W), y (n,) classes."""
        x, labels = validate_data(self, X, y, allow_nd=True, dtype="numeric")
        check_classification_targets(labels)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"expected at least two classes, got one class, {self.classes_[0]!r}")
        self._fitted(x, numbers, torch.as_tensor(numbers, dtype=torch.long), len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> Float[np.ndarray, "n c"]:
        """Probability of every class."""
        outputs = self._outputs(X)
        shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return cast(np.ndarray, shares / shares.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of every image."""
        numbers = self._outputs(X).argmax(axis=1)
        return cast(np.ndarray, self.classes_[numbers])


class Type2Regressor(RegressorMixin, _Type2):  # type: ignore[misc]
    """The same for values: see :class:`Type2Classifier`."""

    def fit(self, X: Any, y: Any) -> Type2Regressor:
        """Choose and train: X (n, H, W), (n, C, H, W) or (n, H W), y (n,) values."""
        x, labels = validate_data(self, X, y, allow_nd=True, dtype="numeric", y_numeric=True)
        values = np.asarray(labels, dtype=np.float64)
        self.mean_, spread = float(values.mean()), float(values.std())
        self.spread_ = spread if spread > 0 else 1.0
        targets = torch.as_tensor((values - self.mean_) / self.spread_, dtype=torch.float32)[:, None]
        self._fitted(x, values, targets, 1)
        return self

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Values of images."""
        outputs = self._outputs(X)[:, 0]
        return cast(np.ndarray, outputs * self.spread_ + self.mean_)
