"""The columns of the tables of networks that share weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from liescope.evaluation.benchmarks.sharing.networks import METHODS
from liescope.evaluation.benchmarks.suite.type2_rows import (
    CHOICE,
    FEW,
    FULL,
    INVARIANCE,
    LEARNT,
    MOST_REGRET,
    PAIRS,
    SHUFFLED,
    TARGETS,
)
from liescope.evaluation.benchmarks.table import Column, Row, number, value, verdict

__all__ = ["NOTES", "layout"]

_TOLD = "; ".join(
    f"{motion} {labels}: " + ", ".join(f"{name} {least:g}" for name, least in least_of.items())
    for (motion, labels), least_of in TARGETS.items()
)

NOTES: Mapping[str, str] = {
    FEW: (
        "Share of test images that are right, mean over the seeds; images of the corpus, as many of every class, moved "
        "by SciPy within fixed ranges, others to test on. "
        + "; ".join(f"{n}: {m.about}" for n, m in METHODS.items())
        + f". Reach by evidence of the training labels. Targets: {_TOLD}; the better lift 30 points over dense where "
        "rotated images have 300 labels at most."
    ),
    CHOICE: (
        "Regret: the accuracy of the best of the eight networks (lift with a series; dense for none) less that of the "
        f"chosen scheme's, in points. Within: runs of a regret of {100 * MOST_REGRET:g} points at most. Weight: of the "
        "schemes within that of the best. Targets over all: 95 % within, 0.5 points on average, 10 s of the choice "
        "with 300 labels."
    ),
    SHUFFLED: "Labels shuffled among the images. None: no scheme stands out; target all but one of 200.",
    LEARNT: (
        "A generator learnt from labels alone (two where images are shifted), its own reach, then the lift along it "
        "beside the dense network of the same images. Cosine: the least, with the field that moved the images (of two, "
        "that of the largest angle between the spans). Seconds: of learning, this "
        "process. Targets, one generator: 8 points gained in 90 %, cosine 0.98 in 80 % of the tasks, 60 s; shifts: "
        "10 points in 80 %."
    ),
    PAIRS: (
        "A generator found in 800 pairs without labels, its reach by evidence of 300 labels, then the lift along it, "
        "beside the lift along the true one. Target: within a point."
    ),
    INVARIANCE: (
        "Relative change of the pooled features when test images turn by 10 degrees (cubic splines), mean: of trained "
        "networks, and of the same with random filters that are smooth over 2 pixels. Equivariance: the largest error "
        "of OrbitConv under whole steps. Targets: 0.03 (smooth), 1e-5."
    ),
    FULL: "12,000 labels of rotated images, CNN trunk. Target: 2.5 %. Published, E(2)-CNNs: 0.68 %.",
}
"""What stands below every table."""


def _accuracy(name: str) -> Callable[[Row], str]:
    return lambda row: number(row["accuracy"][name], 3)


def _points(key: str) -> Callable[[Row], str]:
    return value(key, 1, 100)


def _share(key: str) -> Callable[[Row], str]:
    return value(key, 0, 100, " %")


def _chosen(row: Row) -> str:
    return ", ".join(f"{name} {count}" for name, count in row["chosen"].items())


_WHERE = (Column("images are", value("motion")), Column("labels", value("labels")), Column("seeds", value("runs")))
_END = (Column("seconds", value("seconds_median", 1)), Column("", verdict))

_COLUMNS: Mapping[str, Sequence[Column]] = {
    FEW: (
        *_WHERE,
        Column("tested on", value("test", 0)),
        *(Column(name, _accuracy(name)) for name in METHODS),
        Column("", verdict),
    ),
    CHOICE: (
        *_WHERE,
        Column("chosen", _chosen),
        Column("regret", _points("regret")),
        Column("worst", _points("worst")),
        Column("within", _share("within")),
        Column("weight", value("weight", 2)),
        Column("dense", value("dense", 3)),
        Column("chosen one's", value("accuracy", 3)),
        *_END,
    ),
    SHUFFLED: (*_WHERE, Column("none", _share("none")), Column("largest gain, nats", value("gain", 1)), *_END),
    LEARNT: (
        *_WHERE,
        Column("cosine", value("cosine", 4)),
        Column("0.98 or more", _share("near")),
        Column("dense", value("none", 3)),
        Column("learnt", value("found", 3)),
        Column("least gain", _points("least")),
        Column("8 points or more", _share("gained")),
        *_END,
    ),
    PAIRS: (
        *_WHERE,
        Column("cosine", value("cosine", 6)),
        Column("dense", value("none", 3)),
        Column("found", value("found", 3)),
        Column("true", value("true", 3)),
        *_END,
    ),
    INVARIANCE: (
        *_WHERE,
        Column("lift", value("lift_trained", 3)),
        Column("dense", value("dense_trained", 3)),
        Column("lift, smooth", value("lift_smooth", 4)),
        Column("dense, smooth", value("dense_smooth", 3)),
        Column("equivariance", value("equivariance", 8)),
        *_END,
    ),
    FULL: (
        *_WHERE,
        Column("tested on", value("test", 0)),
        Column("error", value("error", 2, 100, " %")),
        *_END,
    ),
}


def layout(title: str) -> Sequence[Column]:
    """The columns of a table."""
    return _COLUMNS[title]
