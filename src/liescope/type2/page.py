"""The page of a choice among schemes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from liescope import __version__
from liescope.answer.values import json_text
from liescope.data.pairs import atomic_path
from liescope.report.typesetting import fill
from liescope.report.views import data_uri
from liescope.type2.choice import SchemeChoice
from liescope.type2.copies import orbit_copies
from liescope.type2.scheme import LEAST_GAIN

__all__ = ["render_choice", "write_choice"]

_WIDTH = 300  # of the drawing of a bar
_MOST_COPIES = 16


def render_choice(choice: SchemeChoice) -> str:
    """One self-contained page: verdict, schemes with their nats and weights, reach, copies of an image a class."""
    values = [LEAST_GAIN, 0.0]
    for row in choice.table:
        values += [row.nats, *row.interval]
    low, high = min(values), max(values)
    width = max(high - low, 1e-9)

    def place(nats: float) -> float:
        return round(float(np.clip((nats - low) / width, 0, 1)) * _WIDTH, 2)

    factors = sorted({factor for row in choice.table for factor, _ in row.reaches})
    return fill(
        "choice.html.j2",
        package="liescope.type2",
        version=__version__,
        kind="a choice among weight-sharing schemes",
        title="No scheme stands out" if choice.verdict != "a scheme" else f"Share weights along: {choice.best.name}",
        lead=str(choice).splitlines()[0].capitalize() + ".",
        images=choice.images,
        outputs="values" if choice.outputs == 1 else f"{choice.outputs} classes",
        size=f"{choice.shape[1]} x {choice.shape[0]} pixels",
        seconds=f"{choice.seconds:.1f}",
        zero=place(0),
        line=place(LEAST_GAIN),
        least=f"{LEAST_GAIN:g}",
        rows=[
            {
                "name": row.scheme.name,
                "best": row.scheme.name == choice.best.name,
                "nats": f"{row.nats:+.1f}",
                "low": f"{row.interval[0]:+.1f}",
                "high": f"{row.interval[1]:+.1f}",
                "bar": (min(place(0), place(row.nats)), round(abs(place(row.nats) - place(0)), 2)),
                "whisker": tuple(map(place, row.interval)),
                "weight": f"{row.weight:.2f}",
                "prior": f"{np.exp(row.log_prior):.2g}",
                "told": row.scheme.told(),
            }
            for row in choice.table
        ],
        factors=[f"{factor:g}" for factor in factors],
        curves=[
            (row.scheme.name, [f"{dict(row.reaches)[f]:+.1f}" if f in dict(row.reaches) else "–" for f in factors])
            for row in choice.table
            if row.reaches
        ],
        orbits=_orbits(choice),
        told=choice.best.told(),
        scores=[(row.scheme.name, f"{(choice.scores or {})[row.scheme.name]:.3f}") for row in choice.table]
        if choice.scores
        else [],
        tested=f"{choice.tested:,}",
        scored="R squared" if choice.outputs == 1 else "Share that is right",
    )


def write_choice(choice: SchemeChoice, folder: str | Path) -> Path:
    """Write ``choice.json`` and ``report.html`` into a folder, which is made; earlier ones are replaced."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.html", render_choice(choice)), ("choice.json", json_text(choice.to_dict()))):
        with atomic_path(place / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return place


def _orbits(choice: SchemeChoice) -> list[tuple[str, list[str]]]:
    """For every class its label and pictures of its copies; none where nothing is shared."""
    if not choice.best.generators:
        return []
    copies = orbit_copies(torch.as_tensor(choice.examples), choice.best).numpy()
    every = max(1, -(-copies.shape[1] // _MOST_COPIES))
    return [
        (str(label), [_picture(image) for image in row[::every]])
        for label, row in zip(choice.labels, copies, strict=True)
    ]


def _picture(image: Float[np.ndarray, "c h w"]) -> str:
    low, high = float(image.min()), float(image.max())
    shades = (image - low) / max(high - low, 1e-9)
    return data_uri(np.moveaxis(shades, 0, -1) if len(shades) == 3 else shades[0])
