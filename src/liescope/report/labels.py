"""What is told of a result of labels, which has no pairs."""

from __future__ import annotations

from typing import NamedTuple

from liescope.answer import LABELS, Answer
from liescope.answer.numbers import number

__all__ = ["LabelsView", "labels_view", "labels_words"]


class LabelsView(NamedTuple):
    """What the page shows of labels: nats over no sharing, how many labels, nats by reach."""

    nats: str
    labels: str
    reaches: list[tuple[str, str]]


def labels_view(result: Answer) -> LabelsView | None:
    """Of results of labels; None of others."""
    if result.engine != LABELS:
        return None
    reaches = result.evidence.get("reaches") or []
    rows = [(f"{number(float(one['factor']), 2)} of the reach", f"{float(one['nats']):+.1f} nats") for one in reaches]
    return LabelsView(f"{_nats(result):+.0f}", f"{int(result.evidence['labels']):,}", rows)


def labels_words(result: Answer) -> list[str]:
    """What speaks for the verdict."""
    count = f"{int(result.evidence['labels']):,}"
    if not result.generators:
        return [f"Of what was tried on {count} labelled images, the best gains {number(_nats(result), 2)} nats."]
    return [
        f"Sharing weights along it makes the labels of {count} images more probable by {number(_nats(result))} nats "
        "than sharing none does, under a Gaussian process whose random layer the search did not see.",
        "That labels stay the same is what was looked for, no motion: handwriting slants, and the flow may show it.",
    ]


def _nats(result: Answer) -> float:
    return float(result.evidence["nats"])
