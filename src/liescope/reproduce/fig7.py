"""Figure 7: alpha matching by weight and form; orbits, flow fields, latents, and what acts on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float

from liescope.data import Pairs
from liescope.engines.latent import PixelAction
from liescope.evaluation import coefficient_errors, reconstruction_error
from liescope.geometry import Basis, Grid
from liescope.reproduce.alpha_claims import findings
from liescope.reproduce.alpha_drawing import draw_latents, draw_sweep, own_orbit
from liescope.reproduce.cold import FORMS, cold_run, quick_networks
from liescope.reproduce.runs import Case, Run, digit_corpus, pair_count, run_case, true_orbit
from liescope.reproduce.study import Reproduction, Request

__all__ = ["make", "moved_in_pixels"]

Start = Literal["cold", "searched"]
"""From random coefficients with all losses at once, or with a search by alpha matching alone before them."""
ANGLE = 45.0
RANGES = (15.0, 90.0)
"""Half-widths besides :data:`ANGLE`, degrees."""
WEIGHTS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
_TINY_WEIGHTS = (1e-2, 1.0)
_QUICK_WEIGHTS = (1e-2, 1e-1, 1.0, 10.0, 100.0)
RIGHT_WEIGHT = 1.0
"""The paper's default: at which ranges are compared, and whose latents are shown beside those of the smallest."""
ORBIT = 7
"""Reconstructed digits along an orbit."""


def make(request: Request) -> Reproduction:
    """Train with every weight and form from a random start, the exact form also with a search before."""
    weights = _TINY_WEIGHTS if request.tiny else _QUICK_WEIGHTS if request.scale == "quick" else WEIGHTS
    ranges = () if request.tiny else RANGES
    plan: list[tuple[str, float, float, Start]] = [
        *((form, weight, ANGLE, "cold") for form in FORMS for weight in weights),
        *(("exact", weight, ANGLE, "searched") for weight in weights),
        *((form, RIGHT_WEIGHT, angle, "cold") for form in FORMS for angle in ranges),
    ]
    made: dict[float, Pairs] = {}
    runs: dict[tuple[str, float, float, Start], Run] = {}
    for k, (form, weight, angle, start) in enumerate(plan):
        request.progress(f"rotation ±{angle:g}°, {form}, weight {weight:g}, {start}", k / len(plan))
        runs[form, weight, angle, start] = _trained(request, made, form, weight, angle, start)
    rows = [_row(run, *key) for key, run in runs.items()]
    first = next(iter(runs.values()))
    small = min(weights)
    sweep = {(form, weight): runs[form, weight, ANGLE, "cold"] for form in FORMS for weight in weights}
    return Reproduction(
        name="fig7",
        title="Alpha matching: weight and form",
        caption=_caption(request, first, small),
        figures={
            "": draw_sweep(rows, sweep, _shown_weights(weights), ANGLE, ORBIT),
            "latents": draw_latents({weight: sweep["exact", weight] for weight in (small, RIGHT_WEIGHT)}),
        },
        rows=rows,
        findings=findings(rows),
        settings={
            "weights": weights,
            "ranges_deg": [ANGLE, *ranges],
            "seed": request.seed,
            "runs": [{**run.used, "angle_deg": key[2]} for key, run in runs.items()],
        },
    )


def _shown_weights(weights: Sequence[float]) -> list[float]:
    """Three weights at equal distances, or all of fewer."""
    places = np.linspace(0, len(weights) - 1, min(3, len(weights))).round().astype(int)
    return [weights[k] for k in places]


def _caption(request: Request, run: Run, small: float) -> str:
    training = run.used["latent"]["training"]
    return (
        f"Rotations of {digit_corpus(request)} by up to {ANGLE:g} degrees, {len(run.pairs):,} pairs, "
        f"{training['epochs']} epochs; a model for every weight and form. Cold: one random start and the paper's "
        "losses alone, all at once, the same for all forms; searched: our own cold start, alpha matching by itself "
        "before all the losses, random as well. No training knows of registration. (a) Cosine of the "
        "learnt and the true field in L2 over the image against the weight of alpha matching; grey: random fields, "
        f"mean to 95 % quantile. (b) The same against the range of angles, weight {RIGHT_WEIGHT:g}, cold. (c) Cold "
        f"starts: a held-out digit decoded at {ORBIT} regularly spaced t within the sampled range, in the model's own "
        f"scale of t, and the flow field of its generator. Second figure: exact alpha matching with weight {small:g} "
        f"and with weight {RIGHT_WEIGHT:g}, cold: sources and targets, their latents (blue negative, orange positive) "
        "and their t, and the action of exp(tG) on a line and on a Gaussian blob in the latent patch."
    )


def _trained(request: Request, made: dict[float, Pairs], form: str, weight: float, angle: float, start: Start) -> Run:
    case = Case(f"rotation ±{angle:g}°", "rotation", (angle,))
    if angle not in made:
        count = request.size(100, 1500, pair_count(request))
        made[angle] = case.pairs(count, request.seed, digit_corpus(request))
    if start == "cold":
        return cold_run(case, request, made[angle], form, weight)
    changes = quick_networks(request, len(made[angle])) | {"loss": {"alpha": weight, **FORMS[form]}}
    return run_case(case, "cold", request, pairs=made[angle], generators=1, changes=changes)


def _row(run: Run, form: str, weight: float, angle: float, start: Start) -> dict[str, Any]:
    errors = coefficient_errors(run.generators[0], run.truth[0], run.result.basis)
    angles = np.linspace(-angle, angle, ORBIT)
    images = run.source[:100]
    wanted = true_orbit(images, "rotation", angles)
    law, nulls = run.law_row(), run.nulls[0]
    in_pixels = moved_in_pixels(run.source, run.raw, run.generators, run.result.basis)
    return {
        "form": form,
        "weight": weight,
        "start": start,
        "range_deg": angle,
        **{name: law[name] for name in ("pairs", "held_out", "seed", "cosine")},
        "cosine_null": nulls.cosine.mean,
        "cosine_null_tail": nulls.cosine.tail,
        "direction_error_deg": float(np.degrees(np.arccos(min(1.0, law["cosine"])))),
        "drift_error": errors.drift,
        "linear_error": errors.linear,
        "kind": run.kinds[0],
        "pearson": law["pearson"],
        "scale_of_t": float(run.found_t[:, 0].std() / run.true_t[:, 0].std()),
        **run.image_row(),
        "error_in_pixels": reconstruction_error(run.target, in_pixels).mean_squared,
        "error_of_orbit": reconstruction_error(wanted, own_orbit(run, images, angles)).mean_squared,
        "error_of_still_orbit": reconstruction_error(
            wanted, np.broadcast_to(images[:, None], wanted.shape)
        ).mean_squared,
    }


def moved_in_pixels(
    images: Float[np.ndarray, "n h w"], t: Float[np.ndarray, "n k"], generators: Float[np.ndarray, "k m"], basis: Basis
) -> Float[np.ndarray, "n h w"]:
    """Images moved in pixels, exactly, by the coefficients and magnitudes of latent generators."""
    grid = Grid.of(images.shape[-2], images.shape[-1])
    action = PixelAction(basis, grid, None, "shannon-whittaker", False, torch.device("cpu"))
    stack, magnitudes, rows = (
        torch.as_tensor(np.asarray(a), dtype=torch.float32) for a in (images[:, None], t, generators)
    )
    with torch.no_grad():
        return np.asarray(action(stack, magnitudes, rows)[:, 0])
