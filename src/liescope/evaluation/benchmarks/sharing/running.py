"""One run of a part of the benchmark: from a task to numbers by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy import ndimage

from liescope.detector import detect
from liescope.evaluation.benchmarks.sharing.networks import (
    METHODS,
    Method,
    accuracy,
    at_best_reach,
    trained,
    trained_accuracy,
)
from liescope.evaluation.benchmarks.sharing.problems import MOTIONS, Problem, make_problem, pairs_of
from liescope.evaluation.metrics import field_cosine, principal_angles
from liescope.type2 import CANDIDATES, OrbitConv, OrbitNetwork, Scheme, learn_scheme, select_scheme

__all__ = ["Run", "Task", "answered"]

_TINY_TEST, _TINY_STEPS = 60, 4
_PAIRS = 800
_TURN = 10.0  # degrees
_SMOOTH = 2.0  # pixels


@dataclass(frozen=True)
class Task:
    """What is run: a part, a motion, a number of labels, a method where the part has any, a seed."""

    part: str
    motion: str
    labels: int
    seed: int
    method: str = ""
    corpus: str | None = None
    steps: int | None = None
    tiny: bool = False

    @property
    def least_steps(self) -> int | None:
        """Instead of a method's own, where that is asked for."""
        return _TINY_STEPS if self.tiny else self.steps


@dataclass(frozen=True)
class Run:
    """Numbers by name, a word where one is told, seconds of this process."""

    task: Task
    numbers: dict[str, float]
    told: str
    seconds: float
    by_scheme: dict[str, float] = field(default_factory=dict)


def answered(task: Task) -> Run:
    """Run a task."""
    problem = make_problem(task.motion, task.labels, task.seed, task.corpus, _TINY_TEST if task.tiny else 5000)
    begin = time.process_time()
    run = _PARTS[task.part](task, problem)
    return replace(run, seconds=run.seconds or time.process_time() - begin)


def _few(task: Task, problem: Problem) -> Run:
    right = trained_accuracy(task.method, task.motion, problem, task.seed, steps=task.least_steps)
    return Run(task, {"accuracy": right, "test": len(problem.test_labels)}, "", 0.0)


def _choice(task: Task, problem: Problem) -> Run:
    """What is chosen, and the accuracy of the networks of all candidates."""
    names = CANDIDATES[:3] if task.tiny else CANDIDATES
    begin = time.process_time()
    choice = select_scheme(problem.images, problem.labels.numpy(), names, random_state=task.seed)
    seconds = time.process_time() - begin
    right = {row.scheme.name: _with_scheme(task, problem, row.scheme) for row in choice.table}
    best, chosen = max(right.values()), right[choice.best.name]
    weight = sum(row.weight for row in choice.table if right[row.scheme.name] >= best - 0.02)
    numbers = {"regret": best - chosen, "accuracy": chosen, "dense": right["none"], "weight": weight}
    return Run(task, numbers, choice.best.name, seconds, right)


def _shuffled(task: Task, problem: Problem) -> Run:
    """Labels that were shuffled among the images."""
    labels = np.random.default_rng(task.seed).permutation(problem.labels.numpy())
    names = CANDIDATES[:3] if task.tiny else CANDIDATES
    choice = select_scheme(problem.images, labels, names, random_state=task.seed)
    return Run(task, {"gain": max(row.nats for row in choice.table)}, choice.best.name, 0.0)


def _learn(task: Task, problem: Problem) -> Run:
    """A generator from labels alone, two for motions with two; the network along it beside the dense one."""
    fields = MOTIONS[task.motion].fields
    labels = problem.labels.numpy()
    begin = time.process_time()
    found = learn_scheme(problem.images, labels, n_generators="auto" if len(fields) > 1 else 1, random_state=task.seed)
    seconds = time.process_time() - begin
    scheme = Scheme.from_result(found) if found.verdict == "symmetry" else Scheme.none()
    numbers = {"none": _with_scheme(task, problem, Scheme.none()), "found": _with_scheme(task, problem, scheme)}
    numbers |= {"nats": float(found.evidence["nats"]), "generators": len(scheme.generators)}
    numbers["cosine"] = _cosine(scheme, fields, problem)
    return Run(task, numbers, scheme.told(), seconds)


def _cosine(scheme: Scheme, fields: tuple[tuple[float, ...], ...], problem: Problem) -> float:
    """That with the true field; of two generators that of the largest angle between the spans."""
    if len(scheme.generators) != len(fields):
        return 0.0
    height, width = problem.images.shape[2:]
    if len(fields) == 1:
        return float(field_cosine(scheme.directions[0], fields[0], basis="affine", shape=(height, width)))
    angles = principal_angles(scheme.directions, np.array(fields), basis="affine", shape=(height, width))
    return float(np.cos(np.max(angles)))


def _with_scheme(task: Task, problem: Problem, scheme: Scheme) -> float:
    network = trained(_shortened(task), problem, scheme, task.seed)
    return accuracy(network, problem.test_images, problem.test_labels)


def _shortened(task: Task) -> Method:
    """The lift as it is by default."""
    way = replace(METHODS["lift-conv"], taps=None)
    return replace(way, steps=task.least_steps or way.steps)


def _pairs(task: Task, problem: Problem) -> Run:
    """A generator found from pairs, at its best reach, beside the true one at its own."""
    source, target = pairs_of(task.motion, 60 if task.tiny else _PAIRS, task.seed + 1, task.corpus)
    result = detect(source, target, random_state=task.seed)
    true = at_best_reach(MOTIONS[task.motion].scheme, problem, task.seed)
    numbers = {"true": _with_scheme(task, problem, true), "none": _with_scheme(task, problem, Scheme.none())}
    scheme = Scheme.none()
    if result.verdict == "symmetry":
        scheme = at_best_reach(Scheme.from_result(result), problem, task.seed)
    numbers |= {"found": _with_scheme(task, problem, scheme)}
    numbers["cosine"] = _cosine(scheme, MOTIONS[task.motion].fields, problem)
    return Run(task, numbers, scheme.told(), 0.0)


def _invariance(task: Task, problem: Problem) -> Run:
    """How much pooled features change when images turn by 10 degrees, and OrbitConv's error on the orbit grid."""
    height, width = problem.images.shape[2:]
    scheme = Scheme.named("rotation", (height, width))
    images = problem.test_images[:200]
    turned = torch.as_tensor(ndimage.rotate(images.numpy(), _TURN, axes=(3, 2), reshape=False, order=3))
    numbers = {}
    for name, one in (("lift", scheme), ("dense", Scheme.none())):
        network = trained(_shortened(task), problem, one, task.seed)
        numbers[f"{name}_trained"] = _change(network, images, turned)
        numbers[f"{name}_smooth"] = _change(_smoothed(network, (height, width)), images, turned)
    series = OrbitConv(8, 8, periodic=True)
    rng = torch.Generator().manual_seed(task.seed)
    features = torch.randn(4, scheme.size, 8, generator=rng)
    with torch.no_grad():
        apart = [series(features.roll(k, 1)) - series(features).roll(k, 1) for k in range(scheme.size)]
    numbers["equivariance"] = float(torch.stack(apart).abs().max())
    return Run(task, numbers, "", 0.0)


def _smoothed(network: OrbitNetwork, shape: tuple[int, int]) -> OrbitNetwork:
    """The network with random filters that are smooth over the image, as those of more training images are."""
    layer = network.trunk[1] if isinstance(network.trunk, torch.nn.Sequential) else None
    assert isinstance(layer, torch.nn.Linear)
    with torch.no_grad():
        drawn = torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(0)).numpy()
        smooth = ndimage.gaussian_filter(drawn.reshape(len(drawn), -1, *shape), (0, 0, _SMOOTH, _SMOOTH))
        layer.weight.copy_(torch.as_tensor(smooth.reshape(layer.weight.shape)))
    return network


def _change(network: OrbitNetwork, images: torch.Tensor, turned: torch.Tensor) -> float:
    with torch.no_grad():
        before, after = (network.pool(network.features(part)) for part in (images, turned))
    return float(((after - before).norm(dim=1) / before.norm(dim=1).clamp_min(1e-9)).mean())


def _full(task: Task, problem: Problem) -> Run:
    """All the labels of the field's split."""
    right = trained_accuracy("cnn-lift", task.motion, problem, task.seed, steps=task.least_steps)
    return Run(task, {"error": 1 - right, "test": len(problem.test_labels)}, "", 0.0)


_PARTS: Mapping[str, Callable[[Task, Problem], Run]] = {
    "few": _few,
    "choice": _choice,
    "shuffled": _shuffled,
    "learn": _learn,
    "pairs": _pairs,
    "invariance": _invariance,
    "full": _full,
}
