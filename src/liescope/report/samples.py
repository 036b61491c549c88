"""Which sample pairs to show, and their images ready to draw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from liescope.answer import Answer
from liescope.data import resize_images
from liescope.report.numbers import accepted_natural, amount, precision

__all__ = ["SampleView", "sample_views"]

LARGEST_SIDE = 112
"""Images are shown at most this large (pixels): a page stays small whatever the data."""

_WANTED = {"best": 2, "typical": 4, "worst accepted": 2, "rejected": 2}


class SampleView(NamedTuple):
    """One pair, ready to draw.

    Images are (H, W) grey or (H, W, 3) colour in [0, 1]; ``difference`` is transported minus target in
    [-1, 1], both by the grey range of all samples. ``transported`` is None without a symmetry to move along.
    """

    kind: str
    pair: int
    caption: str
    residual: float
    source: np.ndarray
    target: np.ndarray
    transported: np.ndarray | None
    difference: np.ndarray


def sample_views(result: Answer) -> list[SampleView]:
    """The best, typical, worst accepted and rejected of the result's samples, in this order."""
    if result.samples is None or not len(result.samples.index):
        return []
    kept = result.samples
    stacks = [np.asarray(stack, np.float32) for stack in (kept.source, kept.target, kept.transported)]
    low = float(min(np.nanmin(stack) for stack in stacks[:2]))
    high = float(max(np.nanmax(stack) for stack in stacks[:2]))
    height = high - low or 1.0
    views = []
    for kind, place in _chosen(result):
        source, target, moved = ((_shown(stack[place]) - low) / height for stack in stacks)
        transported = moved if result.generators else None
        difference = (moved if result.generators else source) - target
        difference = difference.mean(axis=-1) if difference.ndim == 3 else difference
        index = int(result.samples.index[place])
        views.append(
            SampleView(
                kind if result.generators else f"pair {index}",
                index,
                _caption(result, index),
                float(result.residual[index]),
                np.clip(source, 0, 1),
                np.clip(target, 0, 1),
                None if transported is None else np.clip(transported, 0, 1),
                np.clip(difference, -1, 1),
            )
        )
    return views


def _chosen(result: Answer) -> list[tuple[str, int]]:
    """(kind, place among the samples); every sample at most once."""
    if result.samples is None:
        return []
    index = np.asarray(result.samples.index, dtype=int)
    order = np.argsort(result.residual[index], kind="stable")
    accepted = [int(p) for p in order if result.accepted[index[p]]]
    rejected = [int(p) for p in order[::-1] if not result.accepted[index[p]]]
    if not result.generators:
        spread = np.linspace(0, len(order) - 1, min(len(order), sum(_WANTED.values())))
        return [("pair", int(order[int(place)])) for place in spread]
    best = accepted[: _WANTED["best"]]
    rest = accepted[len(best) :]
    cut = max(len(rest) - _WANTED["worst accepted"], 0)
    worst, rest = rest[cut:], rest[:cut]
    start = max(0, (len(rest) - _WANTED["typical"]) // 2)
    typical = rest[start : start + _WANTED["typical"]]
    groups = {
        "best": best,
        "typical": typical,
        "worst accepted": worst,
        "rejected": rejected[: _WANTED["rejected"]],
    }
    return [(kind, place) for kind, places in groups.items() for place in places]


def _shown(image: np.ndarray) -> np.ndarray:
    """(C, H, W) as (H, W) or, for three channels, (H, W, 3); large images smaller, by area."""
    rows, columns = image.shape[-2:]
    scale = LARGEST_SIDE / max(rows, columns)
    if scale < 1:
        image = resize_images(image, (max(1, round(rows * scale)), max(1, round(columns * scale))))
    return np.moveaxis(image, 0, -1) if len(image) == 3 else image.mean(axis=0)


def _caption(result: Answer, index: int) -> str:
    """Magnitudes of one pair in natural units."""
    texts = []
    for k, g in enumerate(result.generators):
        values = accepted_natural(result, k)
        step = precision(float(values.min()), float(values.max())) if values.size else None
        # One digit more than for the whole set: a single pair is told more finely than a range.
        texts.append(amount(g.generator, float(result.natural[index, k]), step and step / 10))
    return ", ".join(texts)
