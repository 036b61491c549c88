"""What schemes are worth on images that nothing was learnt from: a network along each, trained and tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from liescope.errors import InputError
from liescope.type2.choice import SchemeChoice
from liescope.type2.classifier import Type2Classifier, Type2Regressor
from liescope.type2.labelled import labelled

__all__ = ["try_schemes"]


def try_schemes(
    choice: SchemeChoice,
    images: Any,
    labels: Any,
    test_images: Any,
    test_labels: Any,
    *,
    steps: int = 400,
    random_state: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> SchemeChoice:
    """A network along every scheme of a choice, trained on the labels and tested on others.

    Parameters
    ----------
    choice : SchemeChoice
    images, labels, test_images, test_labels : array
        As of :func:`select_scheme`; test images of the same shape, one at least.
    steps : int
        Batches that each is trained with.
    random_state : int
    progress : callable, optional
        Told what is being done and the share that is done.

    Returns
    -------
    SchemeChoice
        With its ``scores``: the share of test images that are right, or R squared of values.

    Raises
    ------
    InputError
        What labelled images must be; test images of another shape.
    """
    known, others = labelled(images, labels), labelled(test_images, test_labels, least=2, of_classes=1)
    if others.images.shape[1:] != known.images.shape[1:]:
        shape, other = (tuple(part.images.shape[1:]) for part in (known, others))
        raise InputError(f"expected test images of shape {shape} as those that are learnt from, got {other}")
    if (known.classes is None) != (others.classes is None):
        raise InputError("expected test labels of the kind of the others, got classes beside values")
    kind = Type2Regressor if known.classes is None else Type2Classifier
    scores = {}
    for number, row in enumerate(choice.table):
        if progress is not None:
            progress(row.scheme.name, number / len(choice.table))
        model = kind(schemes=row.scheme, steps=steps, random_state=random_state)
        model.fit(known.images.numpy(), _told(known.labels, known.classes))
        scores[row.scheme.name] = float(model.score(others.images.numpy(), _told(others.labels, others.classes)))
    if progress is not None:
        progress("done", 1.0)
    return replace(choice, scores=scores, tested=len(others))


def _told(numbers: Any, classes: Any) -> Any:
    """Classes as they were written, or values."""
    return numbers if classes is None else classes[numbers]
