"""What the paper says on alpha matching, judged by the sweep over weights and forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from liescope.reproduce.study import Finding
from liescope.reproduce.verdicts import on_failure, on_success

__all__ = ["FOUND", "findings"]

Row = Mapping[str, Any]

FOUND = 0.99
"""Least cosine of a generator that counts as found: 8 degrees off."""
BY_EYE = 0.9
"""The same for a claim that was judged by looking at flow fields: 26 degrees, what passes for a rotation."""
TAYLOR = ("order 1", "order 2")
_SHIFT = 0.02
_TREND = 0.05
_SEED = 0.02
"""Seeds differ by less."""


def findings(rows: Sequence[Row]) -> list[Finding]:
    """Claims that the rows can say something about."""
    widths = sorted({row["range_deg"] for row in rows})
    swept = max(widths, key=lambda width: sum(row["range_deg"] == width for row in rows))
    sweep = [row for row in rows if row["range_deg"] == swept]
    found = [
        _appears(sweep),
        _crucial(sweep),
        _mismatch(sweep),
        _shift(sweep),
        _output_images(sweep),
        _robust(sweep),
    ]
    if len(widths) > 1:
        weight = next(row["weight"] for row in rows if row["range_deg"] != swept)
        ranged = [row for row in rows if row["weight"] == weight and row["start"] == "cold"]
        found += [_small_t(ranged), _range(ranged)]
    return found


def _of(rows: Sequence[Row], form: str, start: str = "cold") -> list[Row]:
    """Rows of a form by weight."""
    return sorted((r for r in rows if (r["form"], r["start"]) == (form, start)), key=lambda row: float(row["weight"]))


def _best(rows: Sequence[Row]) -> Row:
    return max(rows, key=lambda row: float(row["cosine"]))


def found_weights(rows: Sequence[Row], least: float = FOUND) -> list[float]:
    """Weights for which the generator was found."""
    return [row["weight"] for row in rows if row["cosine"] >= least]


def _told(tried: Sequence[Row]) -> str:
    weights = found_weights(tried)
    if not weights:
        return "for no weight"
    if len(weights) == len(tried):
        return f"for every weight from {min(weights):g} to {max(weights):g}"
    return "for the weights " + ", ".join(f"{weight:g}" for weight in weights)


def _null(row: Row) -> str:
    return f"random fields: {row['cosine_null']:.2f} in the mean, 95 % below {row['cosine_null_tail']:.2f}"


def _appears(rows: Sequence[Row]) -> Finding:
    best = [_best(_of(rows, form)) for form in TAYLOR]
    told = "; ".join(
        f"{row['form']} at best {row['cosine']:.3f}, {row['direction_error_deg']:.0f} degrees off, at weight "
        f"{row['weight']:g}; at least {FOUND:g} {_told(_of(rows, row['form']))}"
        for row in best
    )
    return Finding(
        "The correct generator appears for an optimal weight of the (Taylor) alpha matching.",
        "Results, Alpha-matching; Fig. 7",
        f"Cosine with the true field, cold start: {told} ({_null(best[0])}). A cosine of {BY_EYE:g} is taken for what "
        "the eye accepts.",
        on_success(max(row["cosine"] for row in best) >= BY_EYE),
    )


def _crucial(rows: Sequence[Row]) -> Finding:
    cold, searched = _of(rows, "exact"), _of(rows, "exact", "searched")
    free, ours = found_weights(cold), found_weights(searched)
    taylor, seen = ([len(found_weights(_of(rows, form), least)) for form in TAYLOR] for least in (FOUND, BY_EYE))
    lowest = min(cold, key=lambda row: float(row["weight"]))
    return Finding(
        "The weight of alpha matching is the most crucial parameter to tune.",
        "Discussion",
        f"Cosine of at least {FOUND:g}: Taylor forms for {taylor[0]} (order 1) and {taylor[1]} (order 2) of "
        f"{len(cold)} weights (of at least {BY_EYE:g}, by eye: {seen[0]} and {seen[1]}); exact with "
        f"all losses at once {_told(cold)} (weight {lowest['weight']:g}: {lowest['cosine']:.3f}); exact after a search "
        f"by alpha matching alone, as random a start, {_told(searched)} (worst "
        f"{min(row['cosine'] for row in searched):.5f}, t correlates with the truth at "
        f"{min(row['pearson'] for row in searched):.3f} or more).",
        # Not a matter of tuning where at least half of the weights will do without a search, and all of them after one.
        # Where no weight is right none is crucial.
        on_failure(
            2 * len(free) < len(cold) or len(ours) < len(searched), any(0 < 2 * count < len(cold) for count in seen)
        ),
    )


def tied(row: Row) -> bool:
    """Whether the latent generator moves pixels as the decoder does: at most half of the error of doing nothing."""
    return bool(row["error_in_pixels"] <= 0.5 * row["error_identity"])


def _mismatch(rows: Sequence[Row]) -> Finding:
    small = [_of(rows, form)[0] for form in (*TAYLOR, "exact")]
    told = "; ".join(
        f"{row['form']}: decoded {row['error']:.4f}, in pixels {row['error_in_pixels']:.4f}, cosine {row['cosine']:.2f}"
        for row in small
    )
    tied_at = [f"{row['weight']:g}" for row in _of(rows, "exact") if tied(row)]
    return Finding(
        "When alpha matching is omitted or its weight too small, the transformations in pixel and in latent space do "
        "not match.",
        "Fig. 7, bottom",
        f"Weight {small[0]['weight']:g}, mean squared error of targets, decoded and with the latent generator's own "
        f"coefficients and t applied to pixels: {told} (doing nothing {small[0]['error_identity']:.4f}). Exact forms "
        f"are tied (half of that or less in pixels) at the weights: {', '.join(tied_at) or 'none'}.",
        on_success(not any(tied(row) or row["cosine"] >= FOUND for row in small)),
    )


def _shift(rows: Sequence[Row]) -> Finding:
    told, shifts = [], {}
    for form in (*TAYLOR, "exact"):
        own = _of(rows, form)
        best = _best(own)
        above = [row for row in own if row["weight"] > best["weight"]]
        shifts[form] = best["cosine"] - min((row["cosine"] for row in above), default=best["cosine"])
        worst = min(above, key=lambda row: float(row["cosine"]), default=best)
        told.append(
            f"{form} {best['cosine']:.3f} at {best['weight']:g}, above it {worst['cosine']:.3f} at {worst['weight']:g}"
        )
    published = max(shifts[form] for form in TAYLOR) > _SHIFT
    return Finding(
        "For higher weights the correct generator shifts.",
        "Results, Alpha-matching; Fig. 7",
        f"Best cosine and the worst one above that weight: {'; '.join(told)}.",
        on_failure(shifts["exact"] > _SHIFT, published),
    )


def _output_images(rows: Sequence[Row]) -> Finding:
    first, second, exact = (_of(rows, form) for form in (*TAYLOR, "exact"))
    ratios = [b["error"] / a["error"] for a, b in zip(first, second, strict=True)]
    against = [b["error"] / a["error"] for a, b in zip(first, exact, strict=True)]
    return Finding(
        "A second-order term gives slight improvements in the output images.",
        "Results, Alpha-matching",
        f"Mean squared error of decoded targets with order 2 in units of order 1: median {np.median(ratios):.2f} over "
        f"the weights ({min(ratios):.2f} to {max(ratios):.2f}); exact {np.median(against):.2f}. Order 1: "
        f"{min(row['error'] for row in first):.4f} to {max(row['error'] for row in first):.4f}, doing nothing "
        f"{first[0]['error_identity']:.4f}, the mean target {first[0]['error_mean_image']:.4f}.",
        on_success(float(np.median(ratios)) < 1),
    )


def _robust(rows: Sequence[Row]) -> Finding:
    told, better = [], []
    for form in (*TAYLOR, "exact"):
        own = _of(rows, form)
        best = _best(own)
        told.append(
            f"{form} {own[0]['error_of_orbit']:.4f} at {own[0]['weight']:g}, {best['error_of_orbit']:.4f} at "
            f"{best['weight']:g}"
        )
        better.append(best["error_of_orbit"] < own[0]["error_of_orbit"])
    return Finding(
        "For the optimal weight the orbit of reconstructed digits is more robust.",
        "Results, Alpha-matching; Fig. 7",
        "Mean squared error along the orbit, at the smallest weight and at that of the best generator: "
        f"{'; '.join(told)} (digits that do not move {rows[0]['error_of_still_orbit']:.4f}).",
        # The claim is on Taylor forms; the exact one stands beside them.
        on_success(all(better[: len(TAYLOR)])),
    )


def _by_range(rows: Sequence[Row], form: str) -> dict[float, float]:
    return {row["range_deg"]: row["cosine"] for row in sorted(_of(rows, form), key=lambda r: float(r["range_deg"]))}


def _cosines(values: Mapping[float, float]) -> str:
    return ", ".join(f"{cosine:.3f} (±{width:g} degrees)" for width, cosine in values.items())


def _small_t(rows: Sequence[Row]) -> Finding:
    own = _by_range(rows, "order 1")
    return Finding(
        "With a first-order expansion the model is expected to perform better for small transformations.",
        "Results, Alpha-matching",
        f"Cosine with order 1 at weight {rows[0]['weight']:g}: {_cosines(own)}; exact "
        f"{_cosines(_by_range(rows, 'exact'))}.",
        on_success(own[min(own)] - own[max(own)] > _TREND),
    )


def _range(rows: Sequence[Row]) -> Finding:
    def widest_of(form: str, least: float) -> float:
        return max((width for width, cosine in _by_range(rows, form).items() if cosine >= least), default=0.0)

    first, second, exact = (widest_of(form, BY_EYE) for form in (*TAYLOR, "exact"))
    # What is compared must not turn with a seed: order 1 has the benefit of the doubt, the others have not.
    generous = widest_of("order 1", BY_EYE - _SEED)
    published = widest_of("order 2", BY_EYE + _SEED) <= generous
    widest = max(_of(rows, "exact"), key=lambda row: (row["range_deg"] == exact, float(row["range_deg"])))
    return Finding(
        "A second-order term does not widen the range of parameter values.",
        "Results, Alpha-matching",
        f"Cosine with order 2 at weight {rows[0]['weight']:g}: {_cosines(_by_range(rows, 'order 2'))}. Widest range "
        f"with at least {BY_EYE:g}: order 1 ±{first:g}, order 2 ±{second:g}, exact ±{exact:g} degrees (there its cold "
        f"t correlates with the truth at {widest['pearson']:.2f}).",
        on_failure(widest_of("exact", BY_EYE + _SEED) <= generous, published),
    )
