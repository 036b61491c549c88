"""The answer of a detection as people hold it: data that write, show and describe themselves."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from liescope.answer import Answer, FieldAnswer, read_answer
from liescope.answer.table import magnitude_columns, write_csv
from liescope.data.pairs import atomic_path
from liescope.engines import Fitted, restore
from liescope.engines.latent import TrainedLatent
from liescope.errors import InputError, require_packages
from liescope.geometry import Basis
from liescope.geometry.transport import Border, Interpolation

__all__ = ["FieldResult", "SymmetryResult", "load_result"]


@dataclass(frozen=True, eq=False, repr=False)
class SymmetryResult(Answer):
    """The answer of a detection: an :class:`liescope.answer.Answer` with its page.

    See there for the parameters, the data that it holds. What draws is imported when something is drawn.
    """

    @cached_property
    def fitted(self) -> Fitted | None:
        """What measures other data with the found generators; None where the engine kept nothing."""
        return restore(self.engine, self.state, self.basis)

    @property
    def latent(self) -> TrainedLatent | None:
        """The latent engine's model, where that engine ran."""
        return self.fitted if isinstance(self.fitted, TrainedLatent) else None

    def steadied(
        self,
        frames: Any,
        start: int = 0,
        *,
        interpolation: Interpolation = "linear",
        border: Border = "zero",
    ) -> np.ndarray:
        """Frames of the film moved back along the flow by their magnitudes: what moved stands still.

        Parameters
        ----------
        frames : array or stack, shape (n, H, W) or (n, C, H, W)
            Of the film, from frame ``start`` on; of any size.
        start : int
        interpolation, border
            As of :meth:`transform`.

        Returns
        -------
        array, float32, the shape of ``frames``
            Each frame where the first one of its piece is; frames whose magnitude is not known as they are.

        Raises
        ------
        InputError
            No film, no magnitudes of its frames (``evidence["film"]["reason"]`` says why), more frames than it has.
        """
        if self.film is None or self.film.t is None:
            told = self.evidence.get("film", {}).get("reason")
            why = "a result of pairs" if self.film is None else str(told or "none")
            raise InputError(f"expected a result with magnitudes of a film's frames, got {why}")
        array = np.asarray(frames)
        if array.ndim not in (3, 4) or start < 0 or start + len(array) > self.film.frames:
            got = f"{array.shape}" + (f" from frame {start} on" if start else "")
            raise InputError(
                f"expected frames of the film that was learnt from ({self.film.frames} of them), got {got}"
            )
        back = -self.film.t[start : start + len(array)]
        back = np.where(np.isfinite(back).all(axis=1, keepdims=True), back, 0.0)
        moved: np.ndarray = self.transform(array, back, interpolation=interpolation, border=border)
        return moved

    def save(self, path: str | Path) -> Path:
        """Write the result folder, data and page, all or nothing; an earlier result there is replaced.

        Raises
        ------
        InputError
            The folder cannot be written, or holds other things than a result.
        """
        from liescope.report.folder import write_folder

        return write_folder(self, path)

    def to_frame(self) -> Any:
        """What was measured of every pair as a pandas DataFrame, in natural units; the columns of ``magnitudes.csv``.

        Raises
        ------
        InputError
            pandas is not installed.
        """
        require_packages("pandas")
        import pandas as pd

        return pd.DataFrame(magnitude_columns(self))

    def to_csv(self, path: str | Path) -> Path:
        """Write the table of pairs as in ``magnitudes.csv``, all or nothing."""
        with atomic_path(Path(path)) as temporary:
            write_csv(self, temporary)
        return Path(path)

    def report(self, path: str | Path) -> Path:
        """Write the page, one self-contained HTML file."""
        from liescope.report.folder import write_report

        with atomic_path(Path(path)) as temporary:
            write_report(self, temporary, Path(path).resolve().parent.name)
        return Path(path)

    def summary(self) -> str:
        """The answer in a few plain lines."""
        from liescope.report.evidence import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from liescope.report.notebook import result_html

        return result_html(self)


@dataclass(frozen=True, eq=False, repr=False)
class FieldResult(FieldAnswer, SymmetryResult):
    """The symmetries of a function, a network, a cloud or a law of motion: no pairs, no magnitudes.

    See :class:`liescope.answer.FieldAnswer` for what it holds; ``pairs`` is the number of points.
    """

    @cached_property
    def fitted(self) -> None:
        """Nothing measures magnitudes here."""
        return None

    def to_frame(self) -> Any:
        """The defects of the spectrum as a pandas DataFrame.

        Raises
        ------
        InputError
            pandas is not installed.
        """
        require_packages("pandas")
        import pandas as pd

        defects = self.evidence["spectrum"]
        upper = [*self.evidence["upper_bounds"], *[np.nan] * len(defects)][: len(defects)]
        return pd.DataFrame({"defect": defects, "upper_bound": upper, "noise": self.evidence["noise"]})

    def to_csv(self, path: str | Path) -> Path:
        """Write the spectrum as a table, all or nothing."""
        with atomic_path(Path(path)) as temporary:
            self.to_frame().to_csv(temporary, index=False)
        return Path(path)

    def summary(self) -> str:
        """The answer in a few plain lines."""
        from liescope.report.field_words import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from liescope.report.field_words import result_html

        return result_html(self)


def load_result(path: str | Path, basis: Basis | None = None) -> SymmetryResult:
    """Read a result folder, of this or an earlier version.

    Parameters
    ----------
    path : path
        The folder that :meth:`SymmetryResult.save` or ``liescope detect --out`` wrote, or the ``result.json`` in it.
    basis : Basis, optional
        Needed only where the detection used fields of your own: files keep their names, not their functions.

    Returns
    -------
    SymmetryResult
        As it was saved; it moves images, and ``fitted`` measures other pairs.

    Raises
    ------
    InputError
        No such folder, not a result, another schema, or files that are truncated or do not fit together.

    Examples
    --------
    >>> from liescope import detect
    >>> from liescope.data import make_pairs
    >>> pairs = make_pairs(transform="translation-x", range=3, pairs=60)
    >>> result = detect(pairs.source, pairs.target, basis="translations", n_generators=1)
    >>> folder = result.save("found")
    >>> load_result("found").generators[0].generator.name
    'translation-x'
    """
    answer = read_answer(path, basis)
    kind = FieldResult if isinstance(answer, FieldAnswer) else SymmetryResult
    result = kind(**{one.name: getattr(answer, one.name) for one in fields(answer)})
    # What the engine kept is looked at now: a folder that is broken is told when it is opened.
    try:
        result.fitted  # noqa: B018
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return result
