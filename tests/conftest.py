"""Real digits, and results built by hand: what the page and the command line are tested with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liescope.algebra import Generator
from liescope.cli import main
from liescope.data import load_corpus
from liescope.geometry import get_basis
from liescope.result import DetectedGenerator, Samples, SymmetryResult

FIELDS = {
    "rotation": [0, 0, -1, 0, 1, 0],
    "off-centre": [0.25, 0, -1, -0.25, 1, 0],
    "scale": [0, 1, 0, 0, 0, 1],
    "translation-x": [1, 0, 0, 0, 0, 0],
    "translation-y": [0, 0, 0, 1, 0, 0],
    "shear-x": [0, 0, 1, 0, 0, 0],
    "hyperbolic": [0, 1, 0, 0, 0, -1],
    "general": [0.1, 1, 0.3, -0.7, -0.2, 0.4],
}


def build_result(
    *fields: Any,
    basis: Any = "affine",
    shape: tuple[int, int, int] = (1, 12, 12),
    pairs: int = 60,
    t: np.ndarray | None = None,
    samples: bool = True,
    **changes: Any,
) -> SymmetryResult:
    """A result with the given generators (names of FIELDS or coefficients), every tenth pair not accepted."""
    resolved = get_basis(basis)
    rng = np.random.default_rng(0)
    found = []
    for field in fields:
        generator = Generator(np.array(FIELDS[field] if isinstance(field, str) else field, float), resolved, shape[1:])
        interval = generator.coefficients[:, None] + np.array([-0.01, 0.02])
        found.append(DetectedGenerator(generator, 0.4, interval))
    accepted = np.arange(pairs) % 10 != 9 if fields else np.zeros(pairs, bool)
    index = np.arange(min(16, pairs))
    images = [rng.random((len(index), *shape), dtype=np.float32) for _ in range(3)]
    content: dict[str, Any] = {
        "engine": "registration",
        "verdict": "symmetry" if fields else "no symmetry",
        "reason": "held-out pairs say so",
        "pairs": pairs,
        "shape": shape,
        "basis": resolved,
        "generators": tuple(found),
        "algebra": {"dimension": len(fields), "name": "so(2)", "closed": True, "closure_residual": 0.0},
        "evidence": {
            "heldout_error": 0.01,
            "identity_error": 0.1,
            "permuted_error": 0.09,
            "p_value": 0.002,
        },
        "t": rng.uniform(-1, 1, (pairs, len(fields))) if t is None else t,
        "residual": np.linspace(0, 1, pairs),
        "accepted": accepted,
        "seconds": 1.25,
        "seed": 3,
        "settings": {"generators": "auto"},
        "version": "0.0.test",
        "samples": Samples(index, *images) if samples else None,
    }
    return SymmetryResult(**(content | changes))


@pytest.fixture
def make_result() -> Callable[..., SymmetryResult]:
    """:func:`build_result`."""
    return build_result


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command line that must be refused, in the current folder; answers its one line."""

    def run(*words: str, code: int = 2) -> str:
        before = sorted(Path(".").rglob("*"))
        assert main(list(words)) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert captured.err.startswith("liescope: error: ")
        assert sorted(Path(".").rglob("*")) == before
        return captured.err

    return run


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """500 real digits, the ten classes in turn: read-only uint8, shape (500, 28, 28)."""
    images = np.asarray(load_corpus("mnist-5k").images)
    # The corpus is ordered by class, 500 of each; here any first N are digits of all classes.
    mixed = images.reshape(10, 500, 28, 28)[:, :50].swapaxes(0, 1).reshape(500, 28, 28).copy()
    mixed.flags.writeable = False
    return mixed
