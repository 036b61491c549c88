"""Two sets of images without pairs: what is found between them, what is not, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liescope import InputError, SymmetryResult, detect_sets, load_result
from liescope.cli import main
from liescope.data import load_corpus, load_sets, make_pairs
from liescope.evaluation import field_cosine


def digits(count: int, seed: int) -> np.ndarray:
    images = np.asarray(load_corpus("mnist-5k").images)
    return images[np.random.default_rng(seed).permutation(len(images))[:count]]


@pytest.fixture(scope="module")
def shifted() -> tuple[SymmetryResult, np.ndarray]:
    """Between 700 digits and 600 others that were shifted, in another order; and the true shifts."""
    pairs = make_pairs("supersymnist", transform="translation-x", range=4, pairs=700, seed=0)
    order = np.random.default_rng(0).permutation(700)[:600]
    assert pairs.natural_magnitude is not None
    result = detect_sets(pairs.source, pairs.target[order], basis="translations")
    return result, pairs.natural_magnitude[order, 0]


def test_a_shift_and_its_law(shifted: tuple[SymmetryResult, np.ndarray]) -> None:
    result, true = shifted
    assert (result.verdict, result.kind, result.engine) == ("symmetry", "sets", "distribution")
    assert field_cosine(result.generators[0].coefficients, [1, 0], "translations", (28, 28)) > 0.995
    law = result.evidence["sets"]["law"][0]
    unit = result.generators[0].generator.unit_per_t
    found = np.array(law["t"]) * unit
    assert abs(found - np.quantile(true, law["u"])).mean() < 0.03 * 8
    assert (np.array(law["low"]) <= law["t"]).all()
    assert result.evidence["null"] == "sets"
    assert result.evidence["p_value"] <= 0.01


def test_magnitudes_are_as_far_off_as_their_errors_say(shifted: tuple[SymmetryResult, np.ndarray]) -> None:
    result, true = shifted
    assert result.t_error is not None
    unit = result.generators[0].generator.unit_per_t
    off = (result.natural[:, 0] - true) / (result.t_error[:, 0] * unit)
    assert 0.7 < np.sqrt(np.mean(np.square(off))) < 1.4
    assert np.corrcoef(result.natural[:, 0], true)[0, 1] > 0.7


def test_what_is_saved_is_read_back(shifted: tuple[SymmetryResult, np.ndarray], tmp_path: Path) -> None:
    result, _ = shifted
    again = load_result(result.save(tmp_path / "found"))
    assert again.to_dict() == result.to_dict()
    assert again.to_dict()["kind"] == "sets"
    assert again.fitted is not None
    assert again.fitted.means is not None
    page = (tmp_path / "found" / "report.html").read_text(encoding="utf-8")
    assert "From one set to the other" in page
    assert "600" in page


def test_a_rotation_in_the_affine_basis() -> None:
    pairs = make_pairs("supersymnist", transform="rotation", range=45, pairs=800, seed=1)
    result = detect_sets(pairs.source, pairs.target[::-1])
    assert [g.name for g in result.generators] == ["rotation"]
    assert result.verdict == "symmetry"
    found = result.generators[0]
    assert field_cosine(found.coefficients, [0, 0, -1, 0, 1, 0], "affine", (28, 28)) > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_two_halves_of_one_corpus_are_alike_in_any_order(seed: int) -> None:
    images = digits(900, seed)
    before, after = images[:500], images[500:]
    result = detect_sets(before, after, basis="translations")
    assert result.verdict == "no symmetry"
    assert "alike" in result.reason
    # Sorted by their ink: chance of the order of rows is no evidence.
    rank = np.argsort(after.reshape(len(after), -1).sum(axis=1), kind="stable")
    again = detect_sets(before[::-1], after[rank], basis="translations")
    assert again.evidence["p_value"] == pytest.approx(result.evidence["p_value"], abs=1e-9)


def test_a_mirror_is_no_flow() -> None:
    result = detect_sets(digits(500, 0), digits(500, 1)[..., ::-1], basis="translations")
    assert result.verdict == "no symmetry"
    assert "mirror" in result.reason


def test_other_grey_values_are_no_motion() -> None:
    result = detect_sets(digits(500, 0) / 255, 0.6 * digits(500, 1) / 255, basis="translations")
    assert result.verdict == "no symmetry"
    assert "grey values" in result.reason


def test_what_a_basis_does_not_explain_is_undecided() -> None:
    pairs = make_pairs("supersymnist", transform="rotation", range=80, pairs=600, seed=0)
    result = detect_sets(pairs.source, pairs.target, basis="translations")
    assert result.verdict == "undecided"
    assert result.evidence["sets"]["removed"] < 0.8


def test_labels_are_matched_class_by_class() -> None:
    corpus = load_corpus("mnist-5k")
    images, label = np.asarray(corpus.images), np.asarray(corpus.labels)
    order = np.random.default_rng(0).permutation(len(images))
    ones, sevens = (images[order][label[order] == digit] for digit in (1, 7))
    # Mixed in other proportions, and not moved.
    before, after = np.concatenate([ones[:80], sevens[:240]]), np.concatenate([ones[100:340], sevens[300:380]])
    labels = np.repeat([1, 7], [80, 240]), np.repeat([1, 7], [240, 80])
    assert detect_sets(before, after, basis="translations").evidence["p_value"] < 0.05
    assert detect_sets(before, after, labels, basis="translations").verdict == "no symmetry"


@pytest.mark.parametrize(
    ("before", "after", "labels", "told"),
    [
        (np.zeros((120, 9, 9)), np.zeros((120, 9, 8)), None, "one size in both sets, got 9 x 9 before and 9 x 8 after"),
        (np.zeros((120, 9, 9)), np.zeros((99, 9, 9)), None, "at least 100 images in each set, got 99 in after"),
        (np.zeros((100, 9, 9)), np.zeros((100, 9, 9)), (["a"] * 100, ["a"] * 99 + ["b"]), "no label b in before"),
        (np.zeros((100, 9, 9)), np.zeros((100, 9, 9)), (["a"] * 100, ["a"] * 99), "labels of after of shape (100,)"),
        (np.zeros((100, 9, 9)), np.zeros((100, 9, 9)), 3, "labels as two arrays"),
        (np.full((100, 9, 9), np.nan), np.zeros((100, 9, 9)), None, "before"),
    ],
)
def test_bad_sets_are_refused_in_one_line(before: np.ndarray, after: np.ndarray, labels: object, told: str) -> None:
    with pytest.raises(InputError) as refused:
        detect_sets(before, after, labels)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_of_two_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sets.npz"
    pairs = make_pairs("supersymnist", transform="translation-y", range=4, pairs=500, seed=2)
    np.savez(file, before=pairs.source, after=pairs.target[:450])
    assert len(load_sets(file).after) == 450
    typed = ["detect", str(file), "--kind", "sets", "--basis", "translations", "--out", str(tmp_path / "found")]
    assert main(typed) == 0
    told = capsys.readouterr().out
    assert "500 and 450" in told
    assert "Shift along y" in told
    for options in (["--kind", "set"], ["--kind", "sets", "--lags", "1"], ["--kind", "sets", "--engine", "latent"]):
        assert main(["detect", str(file), *options, "--out", str(tmp_path / "other")]) == 2
    assert not (tmp_path / "other").exists()


def test_labels_of_one_set_alone_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "sets.npz", before=np.zeros((100, 9, 9)), after=np.zeros((100, 9, 9)), after_label=np.ones(100))
    with pytest.raises(InputError, match="before_label beside after_label"):
        load_sets(tmp_path / "sets.npz")
