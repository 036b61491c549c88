"""Schemes chosen from labels, and networks along them, on real digits that SciPy has moved."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from liescope import Generator, InputError
from liescope.data import load_corpus
from liescope.type2 import (
    Canonicaliser,
    OrbitNetwork,
    Scheme,
    SymmetryAugment,
    Type2Classifier,
    Type2Regressor,
    select_scheme,
    train,
)

KINDS = ("rotated", "scaled")


def digits_and_labels(kind: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    corpus = load_corpus("mnist-5k")
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(corpus.images))[:count]
    images = np.asarray(corpus.images)[np.sort(rows)].astype(np.float32) / 255
    labels = np.asarray(corpus.labels)[np.sort(rows)]
    if kind == "rotated":
        moved = [ndimage.rotate(x, rng.uniform(-180, 180), reshape=False, order=1) for x in images]
    else:
        moved = []
        for image in images:
            zoom = np.exp(rng.uniform(-0.5, 0.5))
            centre = 13.5 * (1 - zoom)
            moved.append(ndimage.affine_transform(image, np.eye(2) * zoom, offset=centre, order=1))
    return np.stack(moved), labels


@pytest.fixture(scope="module", params=KINDS)
def product(request) -> tuple[str, np.ndarray, np.ndarray]:
    return request.param, *digits_and_labels(request.param, 200, 0)


@pytest.mark.slow
def test_the_scheme_is_the_one_the_images_were_moved_along(product):
    kind, images, labels = product
    names = ["rotation", "scale", "translation-x"]
    told: list[str] = []
    choice = select_scheme(images, labels, names, progress=lambda stage, _: told.append(stage))
    expected = {"rotated": "rotation", "scaled": "scale"}[kind]
    assert choice.best.name == expected
    assert choice.verdict == "a scheme"
    assert choice.table[0].scheme.name == expected
    assert sum(choice.weights.values()) == pytest.approx(1)
    assert choice.weights[expected] > 0.8
    assert set(choice.weights) == {"none", *names}
    assert told == ["none", *names, "done"]
    assert str(choice).startswith(choice.best.told())
    row = next(row for row in choice.table if row.scheme.name == expected)
    low, high = row.interval
    assert low < high
    assert low > 3
    if kind == "rotated":
        assert row.scheme.periodic == (True,)
    # Labels that say nothing prefer nothing.
    shuffled = np.random.default_rng(1).permutation(labels)
    nothing = select_scheme(images, shuffled, names)
    assert (nothing.verdict, nothing.best.name) == ("no scheme stands out", "none")
    assert "no scheme stands out" in str(nothing)


def test_the_order_of_candidates_and_gain_of_images_change_nothing():
    images, labels = digits_and_labels("rotated", 60, 3)
    first = select_scheme(images, labels, ["rotation", "scale"], reach="given")
    second = select_scheme(images * 7, labels, ["scale", "rotation"], reach="given")
    for row in first.table:
        (other,) = [one for one in second.table if one.scheme.name == row.scheme.name]
        assert other.nats == pytest.approx(row.nats, abs=0.01)
        assert other.posterior == pytest.approx(row.posterior, abs=1e-3)


def test_what_was_found_stands_beside_a_scheme_of_its_name():
    images, labels = digits_and_labels("rotated", 60, 3)
    rotation = Generator([0, 0, -1, 0, 1, 0])
    off_centre = Generator([0.2, 0, -1, 0, 1, 0])
    choice = select_scheme(images, labels, [rotation, "rotation", off_centre, "none"], reach="given")
    assert set(choice.weights) == {"none", "rotation", "rotation (2)", "rotation (3)"}
    nats = {row.scheme.name: row.nats for row in choice.table}
    assert nats["rotation (2)"] == pytest.approx(nats["rotation"])
    assert nats["rotation (3)"] < nats["rotation"]


def test_a_prior_can_be_given_and_shows():
    images, labels = digits_and_labels("rotated", 60, 3)
    prior = {"none": 0.0, "rotation": -1e6}
    choice = select_scheme(images, labels, ["rotation"], reach="given", prior=prior)
    assert choice.best.name == "none"
    with pytest.raises(InputError, match="expected a prior for every scheme, got none for rotation"):
        select_scheme(images, labels, ["rotation"], prior={"none": 0.0})


def test_networks_that_share_along_the_scheme_need_fewer_labels(product):
    kind, images, labels = product
    others, truth = digits_and_labels(kind, 500, 9)
    scores = {}
    for name in ("none", {"rotated": "rotation", "scaled": "scale"}[kind]):
        model = Type2Classifier(schemes=name, steps=150).fit(images, labels)
        scores[name] = model.score(others, truth)
        assert model.scheme_.name == name
        np.testing.assert_allclose(model.predict_proba(others[:5]).sum(axis=1), 1, atol=1e-6)
    plain, shared = scores.values()
    assert shared > plain + (0.25 if kind == "rotated" else 0.03)


def test_the_classifier_chooses_and_repeats_to_the_bit():
    images, labels = digits_and_labels("rotated", 80, 5)
    model = Type2Classifier(schemes=["none", "rotation"], steps=20)
    first = model.fit(images, labels).predict_proba(images)
    again = clone(model).fit(images, labels).predict_proba(images)
    assert model.scheme_.name == "rotation"
    assert set(model.posterior_) == {"none", "rotation"}
    np.testing.assert_array_equal(first, again)
    # Rows are images too, and their shape need not be square.
    rows = Type2Classifier(schemes="rotation", steps=2, image_shape=(14, 56)).fit(images.reshape(80, -1), labels)
    assert rows.network_.lift.shape == (14, 56)


def test_values_are_learnt_as_well():
    images, _ = digits_and_labels("rotated", 300, 7)
    ink = images.sum(axis=(1, 2)) + 3.0
    seen, new = slice(0, 200), slice(200, None)
    models = [Type2Regressor(schemes=name, steps=100).fit(images[seen], ink[seen]) for name in ("none", "rotation")]
    plain, shared = (model.score(images[new], ink[new]) for model in models)
    assert shared > 0.6 > plain + 0.2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [Type2Classifier(steps=100), Type2Regressor(steps=100)])
def test_scikit_learn_finds_nothing_to_complain_of(model):
    check_estimator(model)


def test_poses_found_by_canonicalisation_undo_the_turn():
    upright, labels = digits_and_labels("scaled", 300, 2)
    chosen = upright[labels == 7]
    scheme = Scheme.named("rotation", (28, 28))
    model = Canonicaliser(scheme).fit(chosen)
    turned = np.stack([np.rot90(image) for image in chosen])
    posed, again = model.transform(chosen), model.transform(turned)
    # A quarter is four places: the pose is the same, to interpolation.
    distance = np.linalg.norm(posed - again, axis=(1, 2)) / np.linalg.norm(posed, axis=(1, 2))
    assert np.median(distance) < 0.05
    back = model.invert_canonicalization(model.canonicalize(turned), turned)[:, 0].numpy()
    apart = np.linalg.norm(back - turned, axis=(1, 2)) / np.linalg.norm(turned, axis=(1, 2))
    assert np.median(apart) < 0.4


def test_augmentation_moves_every_image_by_its_own_magnitude_within_reach():
    images = torch.as_tensor(digits_and_labels("rotated", 6, 1)[0])[:, None]
    same = images[:1].expand(5, -1, -1, -1)
    scheme = Scheme.named("translation-x", (28, 28), reach=0.5)
    moved = SymmetryAugment(scheme, seed=0)(same)
    columns = torch.arange(28.0)
    centres = (moved.sum(dim=2) * columns).sum(dim=2) / moved.sum(dim=(2, 3))[:, :]
    shifts = (centres - centres.new_tensor(float((images[0].sum(dim=1) * columns).sum() / images[0].sum())))[:, 0]
    assert float(shifts.abs().max()) <= 0.5 * abs(scheme.generators[0].unit_per_t) + 0.1
    assert len(shifts.round(decimals=2).unique()) == 5
    assert torch.equal(SymmetryAugment(scheme, seed=0)(same), moved)
    assert SymmetryAugment(Scheme.none())(images) is images


def test_training_lowers_the_loss_and_leaves_the_global_generator_alone():
    images, labels = digits_and_labels("rotated", 60, 4)
    network = OrbitNetwork(Scheme.none(), (28, 28), 10)
    state = torch.get_rng_state()
    told: list[float] = []
    tensors = torch.as_tensor(images)[:, None], torch.as_tensor(labels.astype(np.int64))
    loss = train(network, *tensors, steps=60, progress=told.append)
    assert loss < 0.5 < np.log(10)
    assert told[-1] == 1.0
    assert torch.equal(torch.get_rng_state(), state)


IMAGES, LABELS = np.random.default_rng(0).normal(size=(40, 9, 9)), np.arange(40) % 4


@pytest.mark.parametrize(
    ("images", "labels", "told"),
    [
        (IMAGES, LABELS[:-1], "a label for each of 40 images, got labels of shape"),
        (IMAGES[:20], LABELS[:20], "at least 30 labelled images, got 20"),
        (IMAGES, LABELS * 0, "at least two classes"),
        (IMAGES, np.append(LABELS[1:], 9), "two images or more of every class, got one of"),
        (IMAGES[:, :7], LABELS, "at least 8 pixels a side"),
        (np.where(IMAGES > 3, np.nan, IMAGES) * np.nan, LABELS, "without missing values"),
        (IMAGES[0], LABELS, "expected images of shape"),
        (IMAGES, LABELS * np.nan, "labels without missing values"),
        (IMAGES, LABELS * 0.0, "labels that vary"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(images, labels, told):
    with pytest.raises(InputError, match=told):
        select_scheme(images, labels, ["rotation"])


def test_schemes_are_named_once_and_reach_is_a_word():
    with pytest.raises(InputError, match="every scheme once, got rotation"):
        select_scheme(IMAGES, LABELS, ["rotation", "rotation"])
    with pytest.raises(InputError, match="reach 'evidence' or 'given'"):
        select_scheme(IMAGES, LABELS, ["rotation"], reach="far")
    with pytest.raises(InputError, match="steps to be a whole number of at least 1, got 0"):
        Type2Classifier(steps=0).fit(IMAGES, LABELS)
    with pytest.raises(InputError, match="at least 30 images to choose a scheme, got 20"):
        Type2Classifier().fit(IMAGES[:20], LABELS[:20])
