"""What all libraries are handed: images, labels, points and matrices moved, and magnitudes drawn."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

from liescope.data.magnitudes import Uniform
from liescope.errors import InputError
from liescope.geometry import field_basis
from liescope.handover import Transformation
from liescope.handover.magnitudes import Magnitudes, numpy_generator
from liescope.handover.moving import Sampling, move_boxes, move_images, move_labels, move_points, pixel_matrix

SIZE = (24, 18)
PIXELS = np.array([[9.0, 11.0], [5.5, 8.25], [13.0, 17.0], [8.0, 4.0]])


def tensor_of(result, count):
    return torch.from_numpy(result.t[:count])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("border", ["zero", "edge", "periodic"])
def test_images_move_as_those_of_the_result(case, images, dtype, border) -> None:
    found = Transformation.of(case.result)
    for interpolation in ("linear", "cubic"):
        moved = move_images(
            found, torch.from_numpy(images).to(dtype), tensor_of(case.result, 4), Sampling(interpolation, border)
        )
        expected = case.result.transform(images, case.result.t[:4], interpolation=interpolation, border=border)
        assert moved.dtype == dtype
        np.testing.assert_allclose(moved.numpy(), expected, atol=1e-5)


def test_points_follow_the_flow(case) -> None:
    found, t = Transformation.of(case.result), case.result.t[3]
    moved = move_points(found, torch.from_numpy(PIXELS), torch.from_numpy(t), SIZE)
    np.testing.assert_allclose(moved.numpy(), case.points(PIXELS, t), atol=1e-5)


def test_points_far_along_a_curved_flow_are_exact(curved) -> None:
    found, t = Transformation.of(curved.result), np.array([1.5])
    moved = move_points(found, torch.from_numpy(PIXELS), torch.from_numpy(t), SIZE)
    np.testing.assert_allclose(moved.numpy(), curved.points(PIXELS, t), atol=1e-6)


def test_points_of_a_batch_follow_their_own_flows(case) -> None:
    found, t = Transformation.of(case.result), case.result.t[:3]
    moved = move_points(found, torch.from_numpy(PIXELS).expand(3, -1, -1), torch.from_numpy(t), SIZE)
    expected = np.stack([case.points(PIXELS, own) for own in t])
    np.testing.assert_allclose(moved.numpy(), expected, atol=1e-5)


def test_points_stay_on_what_they_mark(case) -> None:
    rows, columns = np.mgrid[:24, :18]
    found, place = Transformation.of(case.result), np.array([[11.0, 8.0]])
    t = np.full(found.size, 0.25)
    spot = np.exp(-((columns - 11) ** 2 + (rows - 8) ** 2) / 4.0)[None, None]
    moved = move_images(found, torch.from_numpy(spot), torch.from_numpy(t), Sampling("cubic", fill=0)).numpy()[0, 0]
    middle = np.array([(moved * columns).sum(), (moved * rows).sum()]) / moved.sum()
    there = move_points(found, torch.from_numpy(place), torch.from_numpy(t), SIZE).numpy()[0]
    np.testing.assert_allclose(middle, there, atol=0.25)
    assert np.hypot(*(there - place[0])) > 0.1


def test_boxes_count_from_the_edges_of_pixels(case) -> None:
    found, t = Transformation.of(case.result), torch.from_numpy(case.result.t[3])
    corners = torch.from_numpy(PIXELS)[None] + 0.5
    moved = move_boxes(found, corners, t, SIZE) - 0.5
    np.testing.assert_allclose(moved[0].numpy(), case.points(PIXELS, t.numpy()), atol=1e-5)


def test_matrices_take_points_where_the_flow_takes_them(case) -> None:
    found, t = Transformation.of(case.result), case.result.t[:2]
    if case.result.basis.name == "quadratic":
        with pytest.raises(InputError, match="expected an affine basis for a matrix"):
            pixel_matrix(found, torch.from_numpy(t), SIZE)
        return
    matrix = pixel_matrix(found, torch.from_numpy(t), SIZE).numpy()
    moved = np.concatenate((PIXELS, np.ones((4, 1))), axis=1) @ matrix.swapaxes(-1, -2)
    np.testing.assert_allclose(moved[..., :2], np.stack([case.points(PIXELS, own) for own in t]), atol=1e-6)
    np.testing.assert_allclose(moved[..., 2], 1)


def test_labels_are_never_mixed_and_come_from_where_pixels_come_from(case) -> None:
    found, t = Transformation.of(case.result), case.result.t[:4]
    labels = torch.from_numpy(np.random.default_rng(0).choice([0, 3, 2**40], (4, 1, *SIZE)))
    moved = move_labels(found, labels, torch.from_numpy(t), Sampling(mask_fill=7))
    assert moved.dtype == labels.dtype
    assert set(moved.unique().tolist()) <= {0, 3, 7, 2**40}
    # Where does the content of a pixel come from: the flow backwards.
    rows, columns = np.mgrid[:24, :18]
    here = np.stack((columns, rows), axis=-1).reshape(-1, 2).astype(float)
    for own, before, after in zip(t, labels[:, 0].numpy(), moved[:, 0].numpy(), strict=True):
        back = backwards(case, here, own)
        nearest = np.rint(back).astype(int)
        sure = (abs(back - nearest) < 0.49).all(axis=1)
        inside = ((nearest >= 0) & (nearest < [18, 24])).all(axis=1)
        clipped = np.clip(nearest, 0, [17, 23])
        expected = np.where(inside, before[clipped[:, 1], clipped[:, 0]], 7)
        np.testing.assert_array_equal(after.reshape(-1)[sure], expected[sure])


def backwards(case, pixels, t):
    if not case.result.product:
        return case.points(pixels, -t)
    first, second = np.array([t[0], 0]), np.array([0, t[1]])
    return case.points(case.points(pixels, -second), -first)


def test_whole_numbers_are_rounded_and_kept_in_their_range(make_result) -> None:
    found = Transformation.of(make_result("rotation"))
    grey = torch.randint(0, 256, (1, 1, 20, 20), dtype=torch.uint8)
    moved = move_images(found, grey, torch.tensor([0.5]), Sampling("cubic"))
    assert moved.dtype == torch.uint8
    exact = move_images(found, grey.double(), torch.tensor([0.5]), Sampling("cubic"))
    assert float(exact.min()) < 0
    np.testing.assert_allclose(moved.double().numpy(), exact.clamp(0, 255).numpy(), atol=0.51)


def test_half_precision_is_computed_in_single(make_result, images) -> None:
    found, t = Transformation.of(make_result("rotation")), torch.tensor([0.5])
    half = torch.from_numpy(images).half()
    moved = move_images(found, half, t)
    assert moved.dtype == torch.float16
    np.testing.assert_array_equal(moved.numpy(), move_images(found, half.float(), t).half().numpy())


def test_gradients_reach_the_images(case, images) -> None:
    found = Transformation.of(case.result)
    first, second, weights = (torch.from_numpy(one[None]).double() for one in images[:3])
    first.requires_grad_()
    t, black = tensor_of(case.result, 1), Sampling(fill=0)
    (weights * move_images(found, first, t, black)).sum().backward()
    # What is moved is linear in the grey values, so the gradient says all of it.
    expected = float((weights * move_images(found, second, t, black)).sum())
    assert first.grad is not None
    assert float((first.grad * second).sum()) == pytest.approx(expected)


def test_nothing_leaves_the_device_of_the_images(make_result) -> None:
    # On meta there are shapes and no values, and nothing may be mixed with what lies elsewhere.
    found = Transformation.of(make_result("off-centre", "scale", product=True, background=np.array([0.5])))
    images, t = torch.zeros(2, 3, *SIZE, device="meta"), torch.zeros(2, 2)
    assert move_images(found, images, t).device == images.device
    assert move_labels(found, images, t).device == images.device
    assert move_points(found, torch.zeros(2, 5, 2, device="meta"), t, SIZE).device == images.device
    assert pixel_matrix(found, t.to("meta"), SIZE).device == images.device


def test_outside_is_what_is_asked_for(make_result) -> None:
    result = make_result("translation-x", shape=(3, 12, 12), background=np.array([1.0, 2.0, 6.0]))
    found, away = Transformation.of(result), torch.tensor([5.0])
    images = torch.zeros(1, 3, 12, 12)
    assert move_images(found, images, away)[0, :, 0, 0].tolist() == [1, 2, 6]
    assert move_images(found, images[:, :1], away).unique().tolist() == [3]
    assert move_images(found, images, away, Sampling(fill=4)).unique().tolist() == [4]
    assert move_images(found, images, away, Sampling(fill=[7, 8, 9]))[0, :, 0, 0].tolist() == [7, 8, 9]
    with pytest.raises(InputError, match="expected one fill, or one for each of the 3 channels"):
        move_images(found, images, away, Sampling(fill=[1, 2]))


def test_magnitudes_are_those_of_accepted_pairs(make_result) -> None:
    result = make_result("rotation", "scale")
    drawn = Magnitudes(Transformation.of(result)).draw(np.random.default_rng(0), 500)
    accepted = {tuple(row) for row in result.t[result.accepted]}
    assert {tuple(row) for row in drawn} <= accepted
    assert len({tuple(row) for row in drawn}) > 40


def test_laws_and_ranges_are_in_natural_units(make_result) -> None:
    found = Transformation.of(make_result("rotation", "translation-x"))
    rng, units = np.random.default_rng(0), found.units_per_t
    degrees, pixels = (Magnitudes(found, range=[30, 2]).draw(rng, 2000) * units).T
    assert 29 < abs(degrees).max() <= 30
    assert 1.9 < abs(pixels).max() <= 2
    fixed = Magnitudes(found, "fixed:12+uniform:1,2").draw(rng, 50) * units
    np.testing.assert_allclose(fixed[:, 0], 12)
    assert ((fixed[:, 1] >= 1) & (fixed[:, 1] <= 2)).all()
    own = np.array([[1.0, 2.0], [3.0, 4.0]])
    drawn = Magnitudes(found, own).draw(rng, 20) * units
    assert {tuple(row) for row in drawn.round(9)} == {(1.0, 2.0), (3.0, 4.0)}
    alike = Magnitudes(found, Uniform(5, 6)).draw(rng, 20) * units
    assert ((alike >= 5) & (alike <= 6)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"law": "unifrom"}, "unknown law 'unifrom'. Did you mean 'uniform'?"),
        ({"law": "uniform"}, "expected a range beside the law 'uniform', got none, try range=30"),
        ({"range": [1, 2, 3]}, "expected a finite range of at least 0 for each of 1 generators"),
        ({"range": -1}, "expected a finite range of at least 0"),
        ({"range": float("nan")}, "expected a finite range of at least 0"),
        ({"law": np.ones((3, 2))}, r"expected finite magnitudes of shape \(n, 1\)"),
    ],
)
def test_bad_laws_are_told_in_one_line(make_result, options, message) -> None:
    with pytest.raises(InputError, match=message) as raised:
        Magnitudes(Transformation.of(make_result("rotation")), **options)
    assert "\n" not in str(raised.value)


def test_without_accepted_pairs_a_range_is_asked_for(make_result) -> None:
    result = make_result("rotation", accepted=np.zeros(60, bool))
    with pytest.raises(InputError, match="expected magnitudes of accepted pairs to draw t from, got none, try range="):
        Magnitudes(Transformation.of(result))
    assert Magnitudes(Transformation.of(result), range=10).draw(np.random.default_rng(0), 3).shape == (3, 1)


def test_torch_seeds_what_is_drawn(make_result) -> None:
    magnitudes = Magnitudes(Transformation.of(make_result("rotation")))
    torch.manual_seed(5)
    first, second = (magnitudes.draw(numpy_generator(), 4) for _ in range(2))
    torch.manual_seed(5)
    np.testing.assert_array_equal(first, magnitudes.draw(numpy_generator(), 4))
    assert (first != second).any()
    own = torch.Generator().manual_seed(1)
    np.testing.assert_array_equal(
        magnitudes.draw(numpy_generator(own), 4),
        magnitudes.draw(numpy_generator(torch.Generator().manual_seed(1)), 4),
    )


@pytest.mark.parametrize(
    ("fields", "changes", "message"),
    [
        ((), {}, "expected a result with a symmetry to hand over, got no symmetry: held-out pairs say so"),
        (("rotation",), {"verdict": "no symmetry"}, "got no symmetry"),
    ],
)
def test_nothing_found_hands_nothing_over(make_result, fields, changes, message) -> None:
    with pytest.raises(InputError, match=message):
        Transformation.of(make_result(*fields, **changes))


def test_an_undecided_result_hands_over_what_fits_best(make_result) -> None:
    assert Transformation.of(make_result("rotation", verdict="undecided")).name == "rotation"


def test_a_transformation_is_plain_data(case, images) -> None:
    found = Transformation.of(case.result)
    again = Transformation(**found.plain())
    for other in (again, pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert repr(other) == repr(found)
        np.testing.assert_array_equal(other.t, found.t)
        moved = move_images(other, torch.from_numpy(images), tensor_of(case.result, 4)).numpy()
        np.testing.assert_allclose(moved, case.result.transform(images, case.result.t[:4]), atol=1e-5)


def test_many_magnitudes_are_thinned_evenly(make_result) -> None:
    t = np.random.default_rng(0).normal(size=(5000, 1))
    found = Transformation.of(make_result("rotation", pairs=5000, t=t))
    accepted = t[np.arange(5000) % 10 != 9]
    assert len(found.t) == 1000
    np.testing.assert_allclose(
        np.quantile(found.t, [0.05, 0.5, 0.95]), np.quantile(accepted, [0.05, 0.5, 0.95]), atol=0.01
    )


def test_fields_of_your_own_move_images_but_are_not_written_down(make_result, images) -> None:
    basis = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))})
    result = make_result([1.0], basis=basis)
    found = Transformation.of(result)
    moved = move_images(found, torch.from_numpy(images), torch.tensor([0.7]))
    np.testing.assert_allclose(moved.numpy(), result.transform(images, 0.7), atol=1e-5)
    with pytest.raises(InputError, match="expected fields that a file can name, got the basis 'custom' of your own"):
        found.plain()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": (12,)}, "expected a basis in 1 coordinates"),
        ({"coefficients": [[1, 2]]}, r"expected finite coefficients of shape \(n, 6\)"),
        ({"coefficients": np.zeros((0, 6))}, "expected at least one generator"),
        ({"basis": "afine"}, "Did you mean 'affine'"),
        ({"t": [[np.nan]]}, r"expected finite t of shape \(n, 1\)"),
    ],
)
def test_data_that_are_no_transformation_are_refused(make_result, changes, message) -> None:
    plain = Transformation.of(make_result("rotation")).plain()
    if changes.get("shape") is not None:
        plain["basis"] = Transformation.of(make_result("rotation")).basis
    with pytest.raises(InputError, match=message):
        Transformation(**(plain | changes))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interpolation": "linaer"}, "unknown interpolation 'linaer'. Did you mean 'linear'"),
        ({"border": "zeros"}, "unknown border 'zeros'. Did you mean 'zero'"),
        ({"fill": float("inf")}, "expected finite values outside of images"),
    ],
)
def test_unknown_samplings_are_refused(options, message) -> None:
    with pytest.raises(InputError, match=message):
        Sampling(**options)
