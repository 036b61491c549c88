"""The transformer of scikit-learn: images of all shapes, pipelines, clones, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from liescope.errors import InputError
from liescope.handover import sklearn


@pytest.mark.parametrize("options", [{}, {"border": "edge", "interpolation": "cubic"}])
def test_images_move_as_those_of_the_result(case, images, options) -> None:
    t = case.result.t[0]
    moved = sklearn(case.result, t=t, **options).fit_transform(images)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, case.result.transform(images, t, **options), atol=1e-5)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_rows_stacks_and_channels_are_the_same_images(case, images, channels, flat) -> None:
    stack = images[:, 0] if channels == 1 else images
    expected = case.result.transform(stack, 0.3 * np.ones(len(case.result.generators)))
    given, wanted = (one.reshape(4, -1) if flat else one for one in (stack, expected))
    transformer = sklearn(case.result, t=0.3 * np.ones(len(case.result.generators))).fit(given)
    assert transformer.image_shape_ == (channels, 24, 18)
    np.testing.assert_allclose(transformer.transform(given), wanted, atol=1e-5)
    if flat:
        assert transformer.n_features_in_ == given.shape[1]
        assert len(transformer.get_feature_names_out()) == given.shape[1]


def test_every_image_has_its_own_draw(case, images) -> None:
    transformer = sklearn(case.result, random_state=0).fit(images)
    moved = transformer.transform(np.repeat(images[:1], 3, axis=0))
    assert not np.allclose(moved[0], moved[1])
    np.testing.assert_array_equal(transformer.transform(np.repeat(images[:1], 3, axis=0)), moved)
    # Each is the image moved by one of the accepted magnitudes.
    accepted = case.result.t[case.result.accepted]
    all_of_them = case.result.transform(np.repeat(images[:1], len(accepted), axis=0), accepted)
    assert all(abs(all_of_them - one).max(axis=(1, 2, 3)).min() < 1e-5 for one in moved)
    shared = sklearn(case.result, random_state=np.random.RandomState(0)).fit(images)
    assert not np.allclose(shared.transform(images), shared.transform(images))


def test_types_are_kept(make_result) -> None:
    rows = np.random.default_rng(0).integers(0, 255, (3, 144))
    transformer = sklearn(make_result("rotation"), t=0.2)
    for dtype, expected in (("float64", "float64"), ("float32", "float32"), ("uint8", "float32"), ("int64", "float32")):
        assert transformer.fit_transform(rows.astype(dtype)).dtype == expected
    assert transformer.fit_transform(rows.tolist()).shape == (3, 144)


def test_it_keeps_the_rules_of_scikit_learn(case, images) -> None:
    rows = images[:, 0].reshape(4, -1)
    transformer = sklearn(case.result, law=None, image_shape=(24, 18), random_state=3)
    expected = transformer.fit_transform(rows)
    fitted = pickle.loads(pickle.dumps(transformer))
    for again in (clone(transformer), fitted, clone(fitted)):
        np.testing.assert_array_equal(again.fit(rows).transform(rows), expected)
    assert transformer.set_params(random_state=4).get_params()["random_state"] == 4
    assert not np.array_equal(transformer.fit_transform(rows), expected)
    assert not any(name.endswith("_") for name in vars(clone(transformer)))
    with pytest.raises(NotFittedError):
        clone(transformer).transform(rows)


def test_it_works_in_a_pipeline_and_a_search(make_result) -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate((rng.random((10, 144)), 1 + rng.random((10, 144))))
    labels = np.repeat([0, 1], 10)
    pipeline = make_pipeline(sklearn(make_result("rotation"), random_state=0), LogisticRegression())
    search = GridSearchCV(pipeline, {"symmetrytransformer__t": [None, 0.1]}, cv=2).fit(rows, labels)
    assert search.best_score_ == 1


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({}, (4, 100), r"expected rows of 12 x 12 pixels, got 100 features, try image_shape=\(H, W\)"),
        ({"image_shape": (3, 12, 12)}, (4, 144), "expected rows of 3 x 12 x 12 pixels"),
        ({"t": [1, 2]}, (4, 144), "expected 1 magnitude t, got shape"),
        ({"t": np.nan}, (4, 144), "expected finite magnitudes t"),
        ({"t": 1.0, "range": 3}, (4, 144), "expected a fixed t, or a law or range to draw it from, got both"),
        ({}, (1, 1, 1, 12, 12), r"expected images \(n, H, W\)"),
    ],
)
def test_bad_input_is_told(make_result, options, shape, message) -> None:
    with pytest.raises(InputError, match=message) as raised:
        sklearn(make_result("rotation"), **options).fit(np.zeros(shape))
    assert "\n" not in str(raised.value)


def test_other_rows_than_those_of_the_fit_are_refused(make_result) -> None:
    transformer = sklearn(make_result("rotation"), t=0.1).fit(np.zeros((2, 144)))
    with pytest.raises(InputError, match="expected rows of 144 pixels of images"):
        transformer.transform(np.zeros((2, 100)))
    with pytest.raises(ValueError, match="NaN"):
        transformer.transform(np.full((2, 144), np.nan))
