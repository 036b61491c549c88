"""Invariance of functions whose symmetries are known exactly, or worked out by sympy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import sympy  # type: ignore[import-untyped]
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.neural_network import MLPRegressor

from liescope import InputError, detect_invariance, load_result


def cosine(result: Any, truth: Callable[..., Any], points: np.ndarray) -> float:
    found, field = result.generators[0].field(points), np.stack(truth(*points.T), axis=1)
    return float(abs((found * field).sum()) / np.linalg.norm(found) / np.linalg.norm(field))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("d", "signs"), [(2, (1, 1)), (3, (1, 1, 1)), (4, (1, 1, 1, 1)), (4, (1, -1, -1, -1))])
def test_quadratic_forms_have_their_orthogonal_algebra(d: int, signs: tuple[int, ...], seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-1, 1, size=(300, d))
    result = detect_invariance(lambda x: x**2 @ np.array(signs), points, random_state=seed)
    assert result.verdict == "symmetry"
    assert len(result.generators) == d * (d - 1) // 2
    assert result.algebra["name"] == ("so(3,1)" if -1 in signs else f"so({d})")
    assert all(g.tier == "exact" for g in result.generators)
    metric = np.diag(signs)
    for g in result.generators:
        matrix = g.coefficients.reshape(d, d + 1)[:, 1:]
        np.testing.assert_allclose(matrix.T @ metric + metric @ matrix, 0, atol=1e-8)
        np.testing.assert_allclose(g.coefficients.reshape(d, d + 1)[:, 0], 0, atol=1e-8)


def test_so_10() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, size=(330, 10))
    result = detect_invariance(lambda x: (x**2).sum(axis=1), points)
    assert len(result.generators) == 45
    assert result.algebra["name"] == "so(10)"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_two_functions_of_the_plane_to_rounding(seed: int, shift: float) -> None:
    points = np.random.default_rng(seed).uniform(0, 2, size=(400, 2)) + shift

    def ellipses(p: np.ndarray) -> np.ndarray:
        return np.exp(-((p[:, 0] - shift - 1) ** 2) / 8 - (p[:, 1] - shift - 1) ** 2 / 2)

    result = detect_invariance(ellipses, points)
    assert len(result.generators) == 1
    assert 1 - cosine(result, lambda x, y: (4 - 4 * (y - shift), x - shift - 1), points) < 1e-12
    if not shift:
        cubic = detect_invariance(lambda p: p[:, 0] ** 3 - p[:, 1] ** 2, points, basis="quadratic")
        assert len(cubic.generators) == 1
        assert 1 - cosine(cubic, lambda x, y: (2 * y, 3 * x**2), points) < 1e-12


def exact_dimension(expression: sympy.Expr, symbols: tuple[sympy.Symbol, ...]) -> int:
    """Affine symmetries of a polynomial by linear algebra over the rationals."""
    gradient = [sympy.diff(expression, s) for s in symbols]
    columns = [sympy.Poly(g * h, *symbols) for g, h in product(gradient, (sympy.Integer(1), *symbols))]
    monomials = sorted({m for column in columns for m in column.monoms()})
    matrix = sympy.Matrix([[column.coeff_monomial(m) for column in columns] for m in monomials])
    return len(columns) - int(matrix.rank())


@pytest.mark.parametrize("seed", range(12))
def test_random_polynomials_against_sympy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    symbols = sympy.symbols("x y z")
    monomials = [e for e in product(range(4), repeat=3) if 0 < sum(e) <= 3]
    chosen = rng.choice(len(monomials), size=int(rng.integers(1, 5)), replace=False)
    terms = [(int(rng.integers(1, 4)), monomials[i]) for i in chosen]
    expression = sum(c * sympy.prod(s**p for s, p in zip(symbols, e, strict=True)) for c, e in terms)
    result = detect_invariance(
        lambda x: sum(c * np.prod(x**e, axis=1) for c, e in terms), rng.uniform(-1, 1, size=(300, 3)), tolerance=0.005
    )
    assert int(result.evidence["exact"]) == exact_dimension(expression, symbols)


@pytest.mark.parametrize("seed", range(6))
def test_functions_without_symmetry_are_no_symmetry(seed: int) -> None:
    rng = np.random.default_rng(seed)
    waves, phases = rng.normal(size=(20, 3)), rng.uniform(0, 6, size=20)
    result = detect_invariance(lambda x: np.cos(x @ waves.T + phases).sum(axis=1), rng.normal(size=(500, 3)))
    assert result.verdict == "no symmetry"
    assert result.generators == ()
    assert float(result.evidence["lower_bound"]) > 0.05


def test_multiples_of_a_symmetry_are_told() -> None:
    points = np.random.default_rng(0).normal(size=(400, 3))
    result = detect_invariance(lambda x: np.sin(np.hypot(x[:, 0], x[:, 1])), points)
    assert len(result.generators) == 5
    assert (result.evidence["rank"], result.evidence["minimal"]) == (2, 2)
    assert {g.name for g in result.generators[:2]} == {"rotation", "translation"}


def test_a_module_is_looked_at_in_its_own_derivatives_and_left_as_it_was() -> None:
    torch.manual_seed(0)
    radial = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))

    class Radial(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = radial

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            value: torch.Tensor = self.inner(x.square().sum(dim=1, keepdim=True))
            return value

    module = Radial().train()
    result = detect_invariance(module, torch.randn(300, 4))
    assert result.algebra["name"] == "so(4)"
    assert module.training
    assert all(p.requires_grad and p.dtype == torch.float32 for p in module.parameters())
    assert result.fit["model"] == "Radial"


def test_a_perceptron_of_sklearn_agrees_with_differences_of_its_predictions() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, size=(400, 2))
    model = MLPRegressor(hidden_layer_sizes=(20,), activation="tanh", tol=1e-2, random_state=0)
    model.fit(points, points[:, 0] ** 2)
    exact, differences = (detect_invariance(f, points) for f in (model, lambda x: model.predict(x)))
    np.testing.assert_allclose(exact.evidence["spectrum"], differences.evidence["spectrum"], rtol=1e-5)


def test_points_on_a_plane_are_worked_with_there() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 2)) @ np.linalg.qr(rng.normal(size=(4, 2)))[0].T + 1
    result = detect_invariance(lambda x: ((x - 1) ** 2).sum(axis=1), points)
    assert len(result.generators) == 1
    assert result.evidence["support"] == {"rank": 2, "ndim": 4}
    moved = result.transform(points, 0.7)
    np.testing.assert_allclose(((moved - 1) ** 2).sum(axis=1), ((points - 1) ** 2).sum(axis=1))
    assert "2 of 4 dimensions" in result.summary()


@pytest.mark.parametrize("basis", ["affine", "quadratic"])
def test_saved_and_loaded_it_is_the_same(tmp_path: Any, basis: str) -> None:
    points = np.random.default_rng(0).normal(size=(300, 2))
    result = detect_invariance(
        lambda x: x[:, 0] ** 3 - x[:, 1] ** 2 if basis == "quadratic" else x[:, 0] + x[:, 0] ** 3, points, basis=basis
    )
    result.save(tmp_path / "found")
    again = load_result(tmp_path / "found")
    assert again.to_dict() == result.to_dict()
    assert again.to_dict()["schema"] == "liescope.result/2"
    assert again.to_dict()["magnitudes"] is None
    size = len(result.generators)
    np.testing.assert_array_equal(again.transform(points, [0.1] * size), result.transform(points, [0.1] * size))
    page = (tmp_path / "found" / "report.html").read_text(encoding="utf-8")
    assert ("A general flow" if basis == "quadratic" else "Shift along y") in page
    assert "<svg" in page
    assert "http" not in page.split("<body>")[1].replace("http://www.w3.org", "").replace("https://doi", "")
    assert result.summary().splitlines()[0] == again.summary().splitlines()[0]


def test_transform_and_augment_keep_the_function() -> None:
    points = np.random.default_rng(0).normal(size=(300, 2)) + np.array([3, 0])

    def f(x: np.ndarray) -> np.ndarray:
        value: np.ndarray = x[:, 0] ** 3 - x[:, 1] ** 2
        return value

    result = detect_invariance(f, points, basis="quadratic")
    more, values = result.augment(points, f(points), copies=2, reach=0.2)
    assert more.shape == (900, 2)
    np.testing.assert_allclose(f(more), values, atol=1e-5)
    assert np.abs(more[300:600] - points).max() > 0.01


def test_the_same_seed_gives_the_same_bits() -> None:
    points = np.random.default_rng(0).normal(size=(300, 3))
    first, second = (detect_invariance(lambda x: x[:, 0] * x[:, 1], points).to_dict() for _ in range(2))
    first.pop("seconds"), second.pop("seconds")
    assert first == second


BAD: list[tuple[Any, Any, dict[str, Any], str]] = [
    (lambda x: x[:, 0], [[1.0, np.nan]] * 40, {}, r"NaN or infinity, the first at \[0, 1\]"),
    (lambda x: x[:, 0], np.array([["a", "b"]] * 40), {}, "expected numbers for points X"),
    (lambda x: x[:, 0], np.zeros(40), {}, r"try X.reshape\(-1, 1\)"),
    (lambda x: x[:, 0], np.ones((40, 2)), {}, "copies of one point"),
    (lambda x: x[:, 0], np.random.default_rng(0).normal(size=(10, 2)), {}, "at least 18 points for 6 fields, got 10"),
    (lambda x: 0 * x[:, 0] + 3, np.random.default_rng(0).normal(size=(40, 2)), {}, "got a constant one"),
    (lambda x: np.round(x[:, 0]), np.random.default_rng(0).normal(size=(40, 2)), {}, "constant"),
    (lambda x: x[0, 0], np.random.default_rng(0).normal(size=(40, 2)), {}, "one value for each of 40 points"),
    (lambda x: 1 / 0, np.random.default_rng(0).normal(size=(40, 2)), {}, "ZeroDivisionError"),
    ("f", np.random.default_rng(0).normal(size=(40, 2)), {}, "expected a torch module"),
    (lambda x: x[:, 0], np.random.default_rng(0).normal(size=(40, 2)), {"basis": "afine"}, "Did you mean 'affine'"),
    (lambda x: x[:, 0], np.random.default_rng(0).normal(size=(40, 2)), {"tolerance": 0}, "tolerance between 0 and 1"),
    (lambda x: x[:, 0], np.random.default_rng(0).normal(size=(40, 2)), {"n_generators": 7}, "at most 6 generators"),
    (lambda x: x[:, 0], None, {}, "expected points X"),
]


@pytest.mark.parametrize(("f", "X", "options", "told"), BAD)
def test_bad_input_is_told_in_one_line(f: Any, X: Any, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        detect_invariance(f, X, **options)
    assert "\n" not in str(caught.value)


def test_forests_are_refused() -> None:
    points = np.random.default_rng(0).normal(size=(100, 2))
    forest = RandomForestRegressor(5, random_state=0).fit(points, points[:, 0])
    with pytest.raises(InputError, match="piecewise constant"):
        detect_invariance(forest, points)
