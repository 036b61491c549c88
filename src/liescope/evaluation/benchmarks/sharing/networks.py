"""Ways to learn from few labels, and how often each is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from liescope.evaluation.benchmarks.sharing.problems import MOTIONS, Problem
from liescope.type2 import Canonicaliser, OrbitNetwork, Scheme, SymmetryAugment, select_scheme, train

__all__ = ["METHODS", "Method", "accuracy", "at_best_reach", "trained", "trained_accuracy"]

_CHUNK = 1 << 24  # values of copies at a time
_WIDE = 840
_LATTICE_TAPS = 3


@dataclass(frozen=True)
class Method:
    """A way to learn.

    Parameters
    ----------
    about : str
    steps : int
        Batches of 64 that it is trained with.
    trunk : str
    shares, augments, poses : bool
        Whether weights are shared along the scheme, images moved at random along it, or brought into one pose.
    wrong : bool
        Along another scheme than that of the motion.
    taps : int, optional
        Of the series over t, at most 3 on the lattice of several generators; the network's own where it is None.
    features : int
    """

    about: str
    steps: int
    trunk: str = "dense"
    shares: bool = False
    augments: bool = False
    poses: bool = False
    wrong: bool = False
    taps: int | None = 0
    features: int = 128


METHODS: Mapping[str, Method] = {
    "dense": Method("one hidden layer", 400),
    "dense-wide": Method("the same with the weights of six", 400, features=_WIDE),
    "wrong-lift": Method("shared along another flow", 400, shares=True, wrong=True),
    "wrong-augmentation": Method("moved at random along another flow", 1500, augments=True, wrong=True),
    "augmentation": Method("moved at random along the flow, trained out", 1500, augments=True),
    "canonicalisation": Method("brought into one pose", 400, poses=True),
    "lift": Method("shared along the flow", 400, shares=True),
    "lift-conv": Method("the same with a series over t", 400, shares=True, taps=5),
    "cnn": Method("two convolutions", 400, trunk="cnn"),
    "cnn-augmentation": Method("the same, moved at random along the flow", 2000, trunk="cnn", augments=True),
    "cnn-lift": Method("convolutions, shared along the flow", 400, trunk="cnn", shares=True, taps=5),
}
"""Ways by name. Dense ones have the same weights, but for the series and the wide one."""


def at_best_reach(name: str | Scheme, problem: Problem, seed: int) -> Scheme:
    """A scheme at the reach with the most evidence in the labels to learn from."""
    choice = select_scheme(problem.images, problem.labels.numpy(), [name], random_state=seed)
    return next(row.scheme for row in choice.table if row.scheme.generators)


def trained_accuracy(
    method: str, motion: str, problem: Problem, seed: int, *, steps: int | None = None, scheme: Scheme | None = None
) -> float:
    """Share of the test images that a method is right about.

    Parameters
    ----------
    steps : int, optional
        Instead of the method's own.
    scheme : Scheme, optional
        Instead of that of the motion.
    """
    way = METHODS[method]
    way = way if steps is None else replace(way, steps=steps)
    used = Scheme.none()
    if way.shares or way.augments or way.poses:
        name = MOTIONS[motion].wrong if way.wrong else MOTIONS[motion].scheme
        used = scheme if scheme is not None else at_best_reach(name, problem, seed)
    images, test = problem.images, problem.test_images
    if way.poses:
        poser = Canonicaliser(used).fit(images, problem.labels)
        images, test = poser.canonicalize(images), poser.canonicalize(test)
    network = trained(way, replace(problem, images=images), used, seed)
    return accuracy(network, test, problem.test_labels)


def trained(way: Method, problem: Problem, scheme: Scheme, seed: int) -> OrbitNetwork:
    """A network of a method, trained on the labels of a problem."""
    height, width = problem.images.shape[2:]
    lattice = len(scheme.generators) > 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = OrbitNetwork(
            scheme if way.shares else Scheme.none(),
            (height, width),
            problem.classes,
            channels=problem.images.shape[1],
            trunk=way.trunk,
            features=way.features,
            taps=min(way.taps, _LATTICE_TAPS) if lattice and way.taps else way.taps,
        )
    augment = SymmetryAugment(scheme, seed) if way.augments else None
    train(network, problem.images, problem.labels, steps=way.steps, seed=seed, augment=augment)
    return network


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of images whose largest output is that of their class."""
    copies = network.scheme.size if isinstance(network, OrbitNetwork) else 1
    size = max(1, _CHUNK // (copies * images[0].numel() * 8))
    with torch.no_grad():
        guesses = torch.cat([network(part).argmax(dim=1) for part in torch.split(images, size)])
    return float(np.mean((guesses == labels).numpy()))
