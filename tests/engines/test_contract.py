"""Engines behind their contract: what a fit keeps measures the same pairs again, and what it cannot be is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liescope import SymmetryDetector, detect, load_result
from liescope.data import Pairs, make_pairs
from liescope.engines import ENGINES, Engine, PairSet, choose_engine, engine_names, restore
from liescope.engines.state import STATE_FILE, pack_arrays, unpack_arrays
from liescope.errors import InputError
from liescope.geometry import affine

KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one": ({"transform": "rotation", "range": 60, "pairs": 90}, {}),
    "several": ({"transform": "rotation+scale", "range": [40, 0.3], "pairs": 150}, {}),
    "quadratic": ({"transform": "sct-x", "range": 0.4, "pairs": 90}, {"basis": "quadratic", "n_generators": 1}),
    "nearest": ({"transform": "translation-x", "range": 5, "pairs": 90, "order": 0}, {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_that_was_read_back_measures_pairs_as_the_detector_does(kind: str, tmp_path: Path) -> None:
    made, asked = KINDS[kind]
    pairs = make_pairs(**({"order": 3, "seed": 1} | made))
    detector = SymmetryDetector(**asked).fit(pairs.source, pairs.target)
    detector.result_.save(tmp_path / "found")
    again = load_result(tmp_path / "found").fitted
    assert again is not None
    x, y = (np.asarray(stack[:7])[:, None] for stack in (pairs.source, pairs.target))
    np.testing.assert_array_equal(again.measure(x, y).t, detector.predict_magnitude(x, y))
    residual, still = again.measure(x, y).residual, again.still(x, y)
    assert detector.score(x, y) == pytest.approx(1 - residual.mean() / still.mean(), abs=1e-12)
    assert residual.mean() < 0.3 * still.mean()


def test_a_result_without_a_symmetry_keeps_nothing(digits: np.ndarray, tmp_path: Path) -> None:
    result = detect(digits[:40], np.roll(digits[:40], 7, axis=0))
    assert result.verdict == "no symmetry"
    result.save(tmp_path / "none")
    assert load_result(tmp_path / "none").fitted is None


@pytest.fixture(scope="module")
def rotated() -> Pairs:
    return make_pairs(transform="rotation", range=60, pairs=60, order=3)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: {}, "expected fitted.npz among the files"),
        (lambda state: {STATE_FILE: state[STATE_FILE][:100]}, "truncated or corrupt"),
        (lambda state: {STATE_FILE: b"PK\x05\x06" + bytes(18)}, "wrong or missing entry"),
        (lambda state: pack_arrays(**unpack_arrays(state) | {"span": np.zeros((5, 1))}), "finite numbers of shape"),
        (lambda state: pack_arrays(**unpack_arrays(state) | {"starts": np.full((3, 1), np.nan)}), "finite numbers"),
        (lambda state: pack_arrays(**unpack_arrays(state) | {"shape": "wide"}), "wrong or missing entry"),
    ],
)
def test_damaged_state_is_one_line(rotated: Pairs, damage: Any, message: str) -> None:
    state = dict(detect(rotated.source, rotated.target).state)
    with pytest.raises(InputError, match=message) as caught:
        ENGINES["registration"].restore(damage(state), affine())
    assert "\n" not in str(caught.value)


def test_objects_are_never_read(rotated: Pairs) -> None:
    state = pack_arrays(kind=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="pickles are never loaded"):
        unpack_arrays(state)


def test_a_result_of_an_engine_that_is_not_here_says_so() -> None:
    assert restore("elsewhere", {}, affine()) is None
    with pytest.raises(InputError, match="got one of 'elsewhere'"):
        restore("elsewhere", {STATE_FILE: b""}, affine())


def test_engines_are_chosen_by_what_they_accept(rotated: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = PairSet.of(np.asarray(rotated.source)[:, None], np.asarray(rotated.target)[:, None])
    assert choose_engine("auto", pairs).name == "registration"
    assert engine_names() == ("auto", "registration", "distribution", "latent")
    for name, reason in (("registration", "too dark"), ("distribution", "too odd"), ("latent", "too few")):
        monkeypatch.setattr(type(ENGINES[name]), "accepts", lambda self, data, reason=reason: reason)
    with pytest.raises(InputError, match="registration: too dark; distribution: too odd; latent: too few") as caught:
        choose_engine("auto", pairs)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="got none for latent: too few"):
        choose_engine("latent", pairs)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=list(ENGINES))
def test_every_engine_says_what_the_contract_asks(engine: Engine) -> None:
    assert ENGINES[engine.name] is engine
    assert engine.parameters <= {"config", "work_dir", "resume"}
    assert engine.starts_from is None or engine.starts_from in ENGINES
