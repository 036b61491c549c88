"""The transforms, laws and limits that are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from liescope.data import Pairs, make_pairs

__all__ = ["AFFINE", "LAW_MODES", "SPECIAL_CONFORMAL", "Case", "Setting", "Target", "case"]


@dataclass(frozen=True)
class Case:
    """A transform and the half-width of its magnitudes.

    Parameters
    ----------
    name : str
    transform : str
        As :func:`liescope.data.make_pairs` knows it.
    range : float
        In natural units: degrees, log-factor, pixels, plain.
    centre : (column, row), optional
        Fixed point in pixels; default the image centre.
    """

    name: str
    transform: str
    range: float
    centre: tuple[float, float] | None = None


AFFINE = (
    Case("rotation", "rotation", 90.0),
    Case("rotation about (18, 10)", "rotation", 60.0, (18.0, 10.0)),
    Case("scale", "scale", 0.45),
    Case("translation-x", "translation-x", 7.0),
    Case("translation-y", "translation-y", 7.0),
    Case("shear-x", "shear-x", 0.6),
    Case("shear-y", "shear-y", 0.6),
    Case("hyperbolic", "hyperbolic", 0.4),
    Case("spiral", "spiral", 60.0),
)

SPECIAL_CONFORMAL = (Case("sct-x", "sct-x", 0.5), Case("sct-y", "sct-y", 0.5))

LAW_MODES: Mapping[str, int] = {"uniform": 1, "normal": 1, "two-modal": 2, "four-modal": 4, "five-modal": 5}
"""How many modes each law has."""


def case(name: str) -> Case:
    """The case of that name."""
    return next(one for one in (*AFFINE, *SPECIAL_CONFORMAL) if one.name == name)


@dataclass(frozen=True)
class Setting:
    """Data and basis of a measurement, up to the seed.

    Parameters
    ----------
    case : Case
    order : int
        Spline order of the interpolation the data are made with: 0, 1 or 3.
    law : str
        Law of the magnitudes.
    noise : float
        Standard deviation of additive noise on both images, as a share of the grey range.
    basis : str
        Basis the detector looks in.
    corpus : str, optional
        Name or file of the images; default the embedded digits.
    task : str
        ``symnist`` transforms whole images; ``galaxsym`` keeps their middle, so that no border enters.
    """

    case: Case
    order: int = 1
    law: str = "uniform"
    noise: float = 0.0
    basis: str = "affine"
    corpus: str | None = None
    task: str = "symnist"

    def pairs(self, count: int, seed: int) -> Pairs:
        """Pairs of real images."""
        return make_pairs(
            self.task,
            corpus=self.corpus,
            transform=self.case.transform,
            range=self.case.range,
            law=self.law,
            pairs=count,
            order=self.order,
            seed=seed,
            centre=self.case.centre,
            noise=self.noise,
        )


@dataclass(frozen=True)
class Target:
    """What a row must reach; None where nothing is asked.

    Parameters
    ----------
    cosine : float
        Least cosine between the found and the true vector field, in every run.
    seconds : float
        Most seconds of a detection, in every run.
    t_error : float, optional
        Largest median |t error|, as a share of the range of t.
    w1 : float, optional
        Largest Wasserstein distance between found and true magnitudes, as a share of the range of t.
    modes : int, optional
        Number of modes of the law.
    """

    cosine: float
    seconds: float
    t_error: float | None = None
    w1: float | None = None
    modes: int | None = None
