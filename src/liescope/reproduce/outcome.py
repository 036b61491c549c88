"""An engine's answer beside the truth, in natural units, with null levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from liescope.data import Pairs
from liescope.engines.latent import TrainedLatent
from liescope.evaluation import (
    NullLevels,
    classify_linear_part,
    field_cosine,
    magnitude_correlation,
    mode_count,
    null_levels,
    principal_angles,
    reconstruction_error,
    wasserstein,
    wasserstein_standardised,
)
from liescope.evaluation.benchmarks.problems import true_coefficients
from liescope.reproduce.cases import Case
from liescope.result import SymmetryResult

__all__ = ["Run", "best_null"]

RECOGNISED = 0.9
"""Cosine of a field from which on its t is taken to be in natural units."""
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Run:
    """An engine's answer to a case.

    Parameters
    ----------
    case : Case
    setup : str
        Key of :data:`liescope.reproduce.runs.SETUPS`.
    pairs : Pairs
    held : array of int
        Pairs that were not trained on.
    result : SymmetryResult
    raw : array, shape (held, F)
        Magnitudes of the held-out pairs as the engine counts them.
    used : mapping
        What decided the result besides the case.
    """

    case: Case
    setup: str
    pairs: Pairs
    held: np.ndarray
    result: SymmetryResult
    raw: np.ndarray
    used: Mapping[str, Any] = field(default_factory=dict)

    @property
    def latent(self) -> TrainedLatent:
        """The trained model (not of registration)."""
        if self.result.latent is None:
            raise ValueError(f"expected a latent engine's run, got {self.setup}")
        return self.result.latent

    @property
    def source(self) -> np.ndarray:
        """Held-out sources."""
        source: np.ndarray = np.asarray(self.pairs.source)[self.held]
        return source

    @property
    def target(self) -> np.ndarray:
        """Held-out targets."""
        target: np.ndarray = np.asarray(self.pairs.target)[self.held]
        return target

    @cached_property
    def output(self) -> np.ndarray:
        """Decoded moved latents of the held-out pairs, in the sources' shape."""
        return self.latent.reconstruct(self.source, self.raw).reshape(self.source.shape)

    @cached_property
    def generators(self) -> Float[np.ndarray, "k m"]:
        """Found coefficients; a latent model's own, whatever the verdict on them is."""
        if self.result.latent is not None:
            return self.result.latent.generators
        found = [g.generator.coefficients for g in self.result.generators]
        return np.reshape(found, (len(found), self.result.basis.dimension))

    @cached_property
    def truth(self) -> Float[np.ndarray, "k m"]:
        """True coefficients in the basis that was looked in."""
        count = len(self.pairs.meta["generators"])
        return np.stack([true_coefficients(self.pairs, self.result.basis.dimension, k) for k in range(count)])

    @cached_property
    def _matched(self) -> list[tuple[int | None, float]]:
        """For each true generator the found one nearest to it (None: there are fewer), and their fields' cosine."""
        cosines = np.array([[self._cosine(a, b) for b in self.generators] for a in self.truth])
        cosines = cosines.reshape(len(self.truth), len(self.generators))
        rows, columns = linear_sum_assignment(-cosines)
        partner = dict(zip(rows.tolist(), columns.tolist(), strict=True))
        return [
            (partner[i], float(cosines[i, partner[i]])) if i in partner else (None, 0.0) for i in range(len(self.truth))
        ]

    def _cosine(self, a: np.ndarray, b: np.ndarray) -> float:
        return field_cosine(a, b, self.result.basis, self.image_shape)

    @property
    def image_shape(self) -> tuple[int, int]:
        """(H, W)."""
        return int(self.result.shape[-2]), int(self.result.shape[-1])

    @property
    def cosines(self) -> list[float]:
        """|cos| of each true field and the found one nearest to it; 0 where fewer were found."""
        return [cosine for _, cosine in self._matched]

    @property
    def span_cosine(self) -> float:
        """Cosine of the largest angle between the true and the found span; 0 where their sizes differ."""
        if len(self.generators) != len(self.truth):
            return 0.0
        angles = principal_angles(self.truth, self.generators, self.result.basis, self.image_shape)
        return float(np.cos(np.radians(angles[-1])))

    @property
    def kinds(self) -> list[str]:
        """Kind of motion of each found linear part (:func:`liescope.evaluation.classify_linear_part`)."""
        return [classify_linear_part(row, self.result.basis) for row in self.generators]

    @property
    def unit_per_t(self) -> np.ndarray:
        """Natural units in one unit of t, one per true transform."""
        return np.asarray(self.pairs.meta["unit_per_t"], dtype=np.float64)

    @cached_property
    def true_t(self) -> Float[np.ndarray, "n k"]:
        """True magnitudes of the held-out pairs in natural units."""
        t: np.ndarray = np.asarray(self.pairs.magnitude)[self.held] * self.unit_per_t
        return t

    @property
    def in_natural_units(self) -> bool:
        """Whether the (first) found generator is near enough to the true one for its t to have the true one's unit."""
        return self.cosines[0] >= RECOGNISED

    @cached_property
    def signs(self) -> np.ndarray:
        """Sign of each found generator's t that correlates with the truth: a generator's own is arbitrary."""
        signs = np.ones(len(self.truth))
        for k, (found, _) in enumerate(self._matched):
            own, true = (None if found is None else self.raw[:, found]), self.true_t[:, k]
            if own is not None and np.ptp(own) > 0 and np.ptp(true) > 0:
                signs[k] = np.sign(np.corrcoef(own, true)[0, 1]) or 1.0
        return signs

    @cached_property
    def found_t(self) -> Float[np.ndarray, "n k"]:
        """Found magnitudes of the held-out pairs in natural units, as if the found generators were the true ones."""
        columns = [np.zeros(len(self.held)) if found is None else self.raw[:, found] for found, _ in self._matched]
        t: np.ndarray = np.stack(columns, axis=1) * self.signs * self.unit_per_t
        return t

    def standardised_t(self, k: int = 0) -> Float[np.ndarray, " n"]:
        """Found magnitudes brought to mean and deviation of the true ones: with another generator the shape is all."""
        found, true = self.found_t[:, k], self.true_t[:, k]
        scaled: np.ndarray = (found - found.mean()) / max(float(found.std()), _TINY) * true.std() + true.mean()
        return scaled

    def scaled_t(self) -> Float[np.ndarray, "n k"]:
        """Found magnitudes in natural units; of generators that are not the true ones, of the true deviation."""
        factors = self.true_t.std(axis=0) / np.maximum(self.found_t.std(axis=0), _TINY)
        scaled: np.ndarray = self.found_t * np.where(np.array(self.cosines) >= RECOGNISED, 1.0, factors)
        return scaled

    def raw_t(self, natural: Sequence[float] | np.ndarray) -> Float[np.ndarray, "s k"]:
        """Magnitudes in natural units of the (first) true transform as the engine counts them.

        Units have a meaning for the true generator alone; with another one it is the law of t whose mean and standard
        deviation are matched.
        """
        partner = self._matched[0][0]
        if partner is None:
            raise ValueError("expected a run that found a generator, got none")
        values, steps = np.asarray(natural, dtype=np.float64), np.zeros((len(natural), len(self.generators)))
        if self.in_natural_units:
            steps[:, partner] = values * self.signs[0] / self.unit_per_t[0]
            return steps
        own, true = self.raw[:, partner], self.true_t[:, 0]
        deviations = (values - true.mean()) / max(float(true.std()), _TINY)
        steps[:, partner] = own.mean() + self.signs[0] * own.std() * deviations
        return steps

    def traverse(self, images: np.ndarray, t: Sequence[float] | np.ndarray) -> Float[np.ndarray, "n s h w"]:
        """Images decoded at magnitudes in natural units (:meth:`raw_t`), channels averaged."""
        decoded: np.ndarray = self.latent.traverse(images, self.raw_t(t)).mean(axis=2)
        return decoded

    @cached_property
    def nulls(self) -> tuple[NullLevels, ...]:
        """What no knowledge scores, one per true transform; those of images are the same for all."""
        return tuple(
            null_levels(
                row,
                self.result.basis,
                self.image_shape,
                magnitudes=t,
                source=self.source if self.result.latent is not None else None,
                target=self.target if self.result.latent is not None else None,
                trials=200,
                seed=self.result.seed,
            )
            for row, t in zip(self.truth, self.true_t.T, strict=True)
        )

    def law_row(self, k: int = 0) -> dict[str, Any]:
        """Numbers of generator k and of its magnitudes on the held-out pairs, with null levels."""
        found, true, null = self.found_t[:, k], self.true_t[:, k], self.nulls[k]
        correlation = magnitude_correlation(found, true)
        outer = [float(np.subtract(*np.quantile(values, [0.99, 0.01]))) for values in (found, true)]
        return {
            "case": self.case.label,
            "task": self.case.task,
            "transform": self.pairs.meta["transform"].split("+")[k],
            "law": self.pairs.meta["law"][k],
            "unit": self.pairs.meta["unit"][k],
            "setup": self.setup,
            "pairs": len(self.pairs),
            "held_out": len(self.held),
            "seed": self.result.seed,
            "generators_found": len(self.generators),
            "cosine": self.cosines[k],
            "cosine_null": null.cosine.mean,
            "w1": wasserstein(found, true),
            "w1_null": null.w1,
            "w1_standardised": wasserstein_standardised(found, true),
            "w1_standardised_null": null.w1_standardised,
            "pearson": correlation.pearson,
            "spearman": correlation.spearman,
            "modes": mode_count(found),
            "modes_sampled": mode_count(true),
            "modes_null": null.modes,
            "width_ratio": outer[0] / outer[1],
        }

    def image_row(self) -> dict[str, float]:
        """Mean squared error (grey values 0 to 1) of the output, of the source in its place, of the mean target."""
        identity, mean_image = self.nulls[0].identity, self.nulls[0].mean_image
        return {
            "error": reconstruction_error(self.target, self.output).mean_squared,
            "error_identity": identity.mean_squared if identity else float("nan"),
            "error_mean_image": mean_image.mean_squared if mean_image else float("nan"),
        }


def best_null(row: Mapping[str, Any]) -> float:
    """The better of the two answers that know nothing: the source itself, the mean target."""
    return float(min(row["error_identity"], row["error_mean_image"]))
