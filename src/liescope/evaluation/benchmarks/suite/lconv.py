"""The set-up of L-conv: rotated images of white noise, with the angle hidden from us.

N. Dehmamy, R. Walters, Y. Liu, D. Wang and R. Yu, "Automatic symmetry discovery with Lie algebra convolutional network"
(NeurIPS 2021) learn the generator as a matrix on the pixels, with the angle of every pair given, and report its cosine
with the matrix of the rotation field.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from liescope.detector import detect
from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.record import Record, spread
from liescope.evaluation.benchmarks.scores import nearest_field
from liescope.evaluation.benchmarks.table import Column, Row, Table, number, value, verdict
from liescope.evaluation.laws import magnitude_correlation
from liescope.evaluation.nulls import null_levels
from liescope.geometry import FieldOperators, Grid, get_basis

__all__ = ["matrix_cosine", "rotated_noise", "run"]

ROTATION = np.array([0.0, 0.0, -1.0, 0.0, 1.0, 0.0]) / math.sqrt(2)
"""Unit-norm affine coefficients."""
PUBLISHED = {7: 0.70, 20: 0.12}
"""Matrix cosine that is reported for images of that side, with the angle given."""
LARGEST_ANGLE = {7: math.pi / 8, 20: math.pi / 4}
LEAST_COSINE = 0.999
SEEDS = 3
PAIRS = 50_000
MATRICES = "As matrices on the pixels"

NOTE = (
    "Images of uniform noise in [-0.5, 0.5], turned by bilinear resampling (affine_grid and grid_sample, zeros beyond "
    "the border), angles uniform from 0 to the largest. The angle is not given. Cosine of coefficients: |cos| of the "
    f"affine coefficients, target at least {LEAST_COSINE} in every run; in brackets the mean of random coefficients. "
    "Angle error: median, read from t. Resampling is the engine's own, so that there is a solution without any rest."
)
MATRIX_NOTE = (
    "Matrix cosine: between the flattened pixel-space matrices of the found and of the true generator, derivatives "
    "after Shannon and Whittaker. With pixels counted from d/2, as published, the true generator is a rotation about a "
    "point half a pixel off the one that the images were turned about: an exact answer scores what its column says. "
    "Published: what a free d² x d² matrix, learned with the angles given, is reported to reach; an affine field has "
    "six coefficients, so that its matrix cannot have the noise that a free one has."
)


@dataclass(frozen=True)
class NoiseRun:
    """One detection beside the truth; angles in degrees. Where nothing is found the scores stay as they are here."""

    side: int
    seed: int
    generators: int
    verdict: str
    seconds: float
    coefficients: tuple[float, ...] = ()
    coefficient_cosine: float = 0.0
    field_cosine: float = 0.0
    matrix_cosine: float = 0.0
    matrix_cosine_half_pixel: float = 0.0
    angle_error_median: float = math.nan
    pearson: float = math.nan
    spearman: float = math.nan


@dataclass(frozen=True)
class _Task:
    side: int
    count: int
    seed: int


def layout(title: str) -> tuple[Column, ...]:
    """The columns of a table."""
    return MATRIX_COLUMNS if title == MATRICES else COLUMNS


def run(options: Options) -> Record:
    """2 sizes x 3 seeds, 50,000 pairs each."""
    count, seeds = 300 if options.tiny else PAIRS, options.chosen_seeds(SEEDS)
    runs = options.run("lconv", detect_noise, [_Task(side, count, seed) for side in PUBLISHED for seed in seeds])
    rows = [_row([one for one in runs if one.side == side]) for side in PUBLISHED]
    tables = (
        Table(f"Rotated noise, {count:,} pairs", layout("Rotated noise"), rows, (NOTE,)),
        Table(MATRICES, layout(MATRICES), rows, (MATRIX_NOTE,)),
    )
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "processes": options.process_count}
    return Record("lconv", "Rotated noise: the set-up of L-conv", tables, runs, used)


def rotated_noise(side: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sources and targets (count, side, side), and the angles in radians (count,)."""
    random = torch.Generator().manual_seed(seed)
    source = torch.rand(count, 1, side, side, generator=random) - 0.5
    angle = torch.rand(count, generator=random) * LARGEST_ANGLE[side]
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack((torch.stack((cosine, -sine, zero), 1), torch.stack((sine, cosine, zero), 1)), 1)
    grid = torch.nn.functional.affine_grid(matrix, list(source.shape), align_corners=False)
    target = torch.nn.functional.grid_sample(source, grid, align_corners=False, padding_mode="zeros")
    return source[:, 0].numpy(), target[:, 0].numpy(), angle.numpy()


def matrix_cosine(found: np.ndarray, truth: np.ndarray, side: int) -> float:
    """|cos| between the flattened pixel-space matrices of two affine generators on side x side pixels."""
    operators = FieldOperators(get_basis("affine"), Grid.of(side, side), dtype=torch.float64).matrices().flatten(1)
    first, second = (torch.as_tensor(a, dtype=torch.float64) @ operators for a in (found, truth))
    return abs(float(torch.nn.functional.cosine_similarity(first, second, dim=0)))


def half_pixel_rotation(side: int) -> np.ndarray:
    """Affine coefficients of the rotation about the pixel d/2, half a pixel to the right of the centre and below it."""
    half = 1.0 / side  # in units in which the side is 2
    x, y = half, -half
    return np.array([y, 0.0, -1.0, -x, 1.0, 0.0])


def detect_noise(task: _Task) -> NoiseRun:
    """Make the pairs, detect, compare."""
    source, target, angle = rotated_noise(task.side, task.count, task.seed)
    began = time.perf_counter()
    result = detect(source, target, random_state=task.seed)
    seconds = time.perf_counter() - began
    run = NoiseRun(task.side, task.seed, len(result.generators), result.verdict, seconds)
    if not result.generators:
        return run
    shape = (task.side, task.side)
    every = [one.generator.coefficients for one in result.generators]
    nearest = nearest_field(ROTATION, every, "affine", shape)
    found, t = np.asarray(every[nearest.which], dtype=np.float64), result.t[:, nearest.which]
    return replace(
        run,
        **magnitude_correlation(t, angle)._asdict(),
        coefficients=tuple(float(one) for one in found),
        coefficient_cosine=abs(float(found @ ROTATION)) / float(np.linalg.norm(found)),
        field_cosine=nearest.cosine,
        matrix_cosine=matrix_cosine(found, ROTATION, task.side),
        matrix_cosine_half_pixel=matrix_cosine(found, half_pixel_rotation(task.side), task.side),
        # A unit-norm rotation turns by t / sqrt(2); the content turns the way the field does.
        angle_error_median=float(np.degrees(np.median(np.abs(nearest.sign * t / math.sqrt(2) - angle)))),
    )


def _row(runs: list[NoiseRun]) -> dict[str, Any]:
    side = runs[0].side
    null = null_levels(ROTATION, "affine", (side, side))
    cosine = min(one.coefficient_cosine for one in runs)
    missed = [] if cosine >= LEAST_COSINE else ["cosine"]
    missed += [] if {one.generators for one in runs} == {1} else ["count"]
    return {
        "side": side,
        "largest_angle": math.degrees(LARGEST_ANGLE[side]),
        "seeds": [one.seed for one in runs],
        "cosine": cosine,
        "null_cosine": null.cosine.mean,
        "field_cosine": min(one.field_cosine for one in runs),
        "matrix_cosine": min(one.matrix_cosine for one in runs),
        "matrix_cosine_half_pixel": min(one.matrix_cosine_half_pixel for one in runs),
        "exact_half_pixel": matrix_cosine(ROTATION, half_pixel_rotation(side), side),
        "published": PUBLISHED[side],
        "angle_error_median": max(one.angle_error_median for one in runs),
        "pearson": min(one.pearson for one in runs),
        "generators": [one.generators for one in runs],
        **spread([one.seconds for one in runs]),
        "passed": not missed,
        "missed": missed,
    }


def _size(row: Row) -> str:
    return f"{row['side']} x {row['side']}"


COLUMNS = (
    Column("images", _size),
    Column("angles", lambda row: f"0 to {row['largest_angle']:g}°"),
    Column(
        "cosine of coefficients (random)", lambda row: f"{number(row['cosine'], 6)} ({number(row['null_cosine'], 2)})"
    ),
    Column("of fields", value("field_cosine", 6)),
    Column("corr. of t", value("pearson", 4)),
    Column("angle error", value("angle_error_median", 3, unit="°")),
    Column("seeds", lambda row: str(len(row["seeds"]))),
    Column("seconds", value("seconds_median", 1)),
    Column("", verdict),
)
MATRIX_COLUMNS = (
    Column("images", _size),
    Column("matrix cosine, true centre", value("matrix_cosine", 4)),
    Column("pixels from d/2", value("matrix_cosine_half_pixel", 4)),
    Column("exact answer, pixels from d/2", value("exact_half_pixel", 4)),
    Column("published", value("published", 2)),
)
