"""Trainings from a random start: what the losses find by themselves, with either form of alpha matching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from liescope.data import Pairs
from liescope.reproduce.runs import HELD_OUT, Case, Run, run_case
from liescope.reproduce.study import Request

__all__ = ["FORMS", "cold_run", "quick_networks"]

FORMS: Mapping[str, Mapping[str, Any]] = {
    "order 1": {"alpha_form": "taylor", "taylor_order": 1},
    "order 2": {"alpha_form": "taylor", "taylor_order": 2},
    "exact": {"alpha_form": "exact"},
}
"""Of alpha matching: the paper's polynomials, and ours."""

_STEPS = (4, 600, 3000)
_TRAINING = {"learning_rate": 2e-3, "coefficient_rate": 0.03, "schedule": "constant", "search_steps": 0}
# One random start and the paper's constant schedule. Its rates (0.001, and 0.01 for the coefficients) need several
# times these steps; with a third of them order 1 has not found even rotations by 15 degrees, which it does find.
_ALONE = {"consistency": 0.0, "distillation": 0.0}
# Neither of our terms that know of exact transport: the forms must be told apart by themselves.


def quick_networks(request: Request, pairs: int) -> dict[str, Any]:
    """Epochs, batch size and widths for many trainings one after the other, on that many pairs."""
    batch = request.size(64, 128, 256)
    an_epoch = max(1, round((1 - HELD_OUT) * pairs / batch))
    changes: dict[str, Any] = {
        "training": {"epochs": -(-request.size(*_STEPS) // an_epoch), "batch_size": batch},
        "model": {},
    }
    if request.scale == "quick" or request.tiny:
        changes["model"] = {"hidden": [256, 128], "magnitude_hidden": [256, 128, 64]}
    return changes


def cold_run(
    case: Case,
    request: Request,
    pairs: Pairs,
    form: str,
    weight: float,
    *,
    model: Mapping[str, Any] | None = None,
    lasso: float = 0.0,
    seed: int | None = None,
) -> Run:
    """Train from a random start with the paper's losses.

    Parameters
    ----------
    form : str
        Key of :data:`FORMS`.
    weight : float
        Of alpha matching.
    lasso : float
        Weight of the coefficients' absolute values before they are normalised, as in the paper's code.
    model : mapping, optional
        Keys of :class:`liescope.engines.latent.ModelConfig` in place of those of :func:`quick_networks`.
    seed : int, optional
        Default the request's.
    """
    changes = quick_networks(request, len(pairs))
    changes["training"] |= _TRAINING
    changes["model"] |= dict(model or {})
    changes["loss"] = {"alpha": weight, "lasso": lasso, "lasso_of": "raw", **FORMS[form], **_ALONE}
    return run_case(case, "cold", request, pairs=pairs, generators=1, seed=seed, changes=changes)
