"""Schemes: what their copies are, beside SciPy; their prior; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from liescope import Generator, InputError, detect, load_result
from liescope.data import make_pairs
from liescope.type2 import FAMILIES, OrbitConv, OrbitLift, OrbitNetwork, PowerSeries, Scheme, orbit_copies
from liescope.type2.scheme import as_scheme, log_priors

SHAPE = (24, 28)


@pytest.fixture(scope="module")
def smooth() -> torch.Tensor:
    noise = np.random.default_rng(0).normal(size=(3, 1, *SHAPE))
    images = ndimage.gaussian_filter(noise, (0, 0, 2, 2))
    rows, columns = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    # Nothing near the border: what comes in from outside is nothing.
    return torch.as_tensor(images * np.exp(-6 * (rows**2 + columns**2)), dtype=torch.float32) * 10


@pytest.mark.parametrize("seed", [0, 1])
def test_copies_along_a_circle_are_those_of_another_library(digits, seed):
    image = ndimage.gaussian_filter(digits[seed].astype(np.float32) / 255, 1)
    scheme = Scheme.named("rotation", (28, 28))
    copies = orbit_copies(torch.from_numpy(image)[None, None], scheme)
    assert copies.shape == (1, 16, 1, 28, 28)
    (rotation,) = scheme.generators
    for t, copy in zip(scheme.t[:, 0], copies[0, :, 0], strict=True):
        # The y axis points up, as angles of SciPy turn; content moves along the field.
        expected = ndimage.rotate(image, t * rotation.unit_per_t, reshape=False, order=1)
        np.testing.assert_allclose(copy, expected, atol=0.02)


def test_two_generators_make_a_lattice_of_single_warps(smooth):
    scheme = Scheme.named("translation", SHAPE, reach=0.25)
    assert (scheme.size, scheme.copies, scheme.t.shape) == (36, (6, 6), (36, 2))
    copies = orbit_copies(smooth, scheme)
    for number in (0, 7, 35):
        pixels = scheme.t[number] * [one.unit_per_t for one in scheme.generators]
        shift = (0, 0, -pixels[1], pixels[0])
        np.testing.assert_allclose(copies[:, number], ndimage.shift(smooth.numpy(), shift, order=1), atol=0.02)


def test_reach_is_told_in_natural_units_and_ends_at_the_circle():
    rotation = Scheme.named("rotation", SHAPE)
    assert rotation.periodic == (True,)
    assert rotation.told() == "rotation, full circle"
    half = rotation.reaching(0.25)
    assert (half.periodic, half.copies) == ((False,), (13,))
    assert half.told() == "rotation by up to 45 degrees"
    assert half.reaching(100).told() == "rotation, full circle"
    assert np.abs(half.t).max() == pytest.approx(half.reach[0])
    assert Scheme.named("translation-x", SHAPE, reach=0.5).told().endswith("pixels")


@pytest.mark.parametrize("name", [*FAMILIES, "rotation+scale", "shear+translation"])
def test_schemes_come_back_from_plain_data(name):
    scheme = Scheme.named(name, SHAPE)
    again = Scheme.from_dict(scheme.as_dict())
    assert again.as_dict() == scheme.as_dict()
    np.testing.assert_array_equal(again.t, scheme.t)
    assert scheme.size <= 36


def test_what_was_found_is_a_scheme_of_twice_the_magnitudes_seen():
    pairs = make_pairs(transform="rotation", range=40, pairs=80, seed=0)
    result = detect(pairs.source, pairs.target)
    scheme = as_scheme(result, (28, 28))
    degrees = np.abs(np.asarray(pairs.magnitude)[:, 0] / np.sqrt(2) * 180 / np.pi).max()
    (one,) = scheme.generators
    assert scheme.reach[0] * abs(one.unit_per_t) == pytest.approx(2 * degrees, rel=0.02)
    nothing = detect(pairs.source, pairs.source[::-1].copy())
    with pytest.raises(InputError, match="expected a result with a symmetry"):
        Scheme.from_result(nothing)


@pytest.mark.slow
def test_a_trained_latent_model_is_a_scheme_too(tmp_path):
    pairs = make_pairs(transform="rotation", range=45, pairs=200, seed=0)
    small = {
        "model": {"latent_size": 49, "hidden": [128], "magnitude_hidden": [64]},
        "training": {"epochs": 8, "batch_size": 32, "distil_epochs": 3, "learning_rate": 0.003},
    }
    result = detect(pairs.source, pairs.target, engine="latent", config=small)
    assert (result.engine, result.verdict) == ("latent", "symmetry")
    scheme = Scheme.from_result(load_result(result.save(tmp_path / "found")))
    (one,) = scheme.generators
    assert one.name == "rotation"
    # Twice what was seen, as its network for t measures it: roughly.
    assert 70 < scheme.reach[0] * abs(one.unit_per_t) <= 180
    network = OrbitNetwork(scheme, (28, 28), 10)
    assert network(torch.as_tensor(pairs.source[:3])[:, None]).shape == (3, 10)


def test_simpler_schemes_are_likelier_before_any_label_is_seen():
    schemes = [Scheme.named(name, SHAPE) for name in ("none", "rotation", "scale", "rotation+scale")]
    prior = np.exp(log_priors(schemes))
    assert prior.sum() == pytest.approx(1)
    assert prior[1] == prior[2]
    # Three nats a generator, shared by the two of one generator.
    assert prior[0] / prior[1] == pytest.approx(2 * np.exp(3))
    assert prior[1] / prior[3] == pytest.approx(np.exp(3) / 2)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Scheme.named("rotatoin", SHAPE), "unknown scheme 'rotatoin'. Did you mean 'rotation'"),
        (lambda: Scheme.named("scale", SHAPE, reach=np.inf), "a reach that is finite and above 0, got inf"),
        (lambda: Scheme.named("scale", SHAPE, reach=-1.0), "a reach that is finite and above 0, got -1"),
        (lambda: Scheme.named("rotation", SHAPE, reach=9.0), "at most half a turn"),
        (lambda: Scheme.of([]), "expected at least one generator"),
        (lambda: Scheme.named("scale", SHAPE).generators and Scheme("x", (), (1.0,), (3,)), "a reach and a number"),
        (lambda: as_scheme(Scheme.named("scale", (9, 9)), SHAPE), "for images of"),
        (lambda: orbit_copies(torch.zeros(1, 1, 9, 9), Scheme.named("scale", SHAPE)), "expected images of"),
        (lambda: orbit_copies(torch.zeros(1).expand(10**6, 3, *SHAPE), Scheme.named("scale", SHAPE)), "at most 8 GiB"),
        (lambda: OrbitConv(3, 3, taps=4), "an odd number of taps"),
        (lambda: OrbitNetwork(Scheme.named("scale", (7, 7)), (7, 7), 2), "at least 8 pixels"),
        (lambda: OrbitNetwork(Scheme.none(), SHAPE, 2, trunk="rnn"), "expected 'dense', 'cnn' or a module"),
        (lambda: OrbitLift(Scheme.none(), SHAPE)(torch.zeros(1, 1, 9, 9)), "expected images of"),
        (lambda: PowerSeries(Scheme.named("scale", SHAPE).generators[0], 0.0), "a step above 0"),
    ],
)
def test_what_is_no_scheme_is_refused(make, told):
    with pytest.raises(InputError, match=told):
        make()


def test_a_series_over_a_circle_commutes_with_whole_steps_exactly():
    features = torch.randn(2, 16, 5, generator=torch.Generator().manual_seed(0))
    series = OrbitConv(5, 7, periodic=True)
    moved = series(features.roll(3, dims=1))
    np.testing.assert_allclose(moved.detach(), series(features).roll(3, dims=1).detach(), atol=1e-5)
    # It would not, were it no circle.
    open_series = OrbitConv(5, 7)
    apart = open_series(features.roll(3, dims=1)) - open_series(features).roll(3, dims=1)
    assert float(apart.detach().abs().max()) > 0.1


def test_a_series_over_a_lattice_is_one_along_each_axis():
    rng = torch.Generator().manual_seed(3)
    features = torch.randn(2, 20, 3, generator=rng)
    series = OrbitConv(3, 6, taps=3, periodic=(True, False), copies=(4, 5))
    lattice = features.reshape(2, 4, 5, 3)
    moved = series(lattice.roll(1, dims=1).reshape(2, 20, 3))
    expected = series(features).reshape(2, 4, 5, 6).roll(1, dims=1).reshape(2, 20, 6)
    np.testing.assert_allclose(moved.detach(), expected.detach(), atol=1e-5)
    # The other axis is open: there it commutes inside alone.
    inside = series(torch.nn.functional.pad(lattice[:, :, 1:4], (0, 0, 1, 1)).reshape(2, 20, 3))
    shifted = series(torch.nn.functional.pad(lattice[:, :, 1:4], (0, 0, 2, 0)).reshape(2, 20, 3))
    inside, shifted = (one.detach().reshape(2, 4, 5, 6) for one in (inside, shifted))
    np.testing.assert_allclose(shifted[:, :, 2:4], inside[:, :, 1:3], atol=1e-5)
    # Another route: two convolutions over a plane whose kernels are a column and a row.
    first, second = series.conv, series.further[0]
    assert isinstance(second, torch.nn.Conv1d)
    plane = torch.nn.functional.pad(lattice.permute(0, 3, 1, 2), (0, 0, 1, 1), mode="circular")
    plane = torch.nn.functional.conv2d(plane, first.weight[..., None], first.bias)
    plane = torch.nn.functional.conv2d(plane, second.weight[..., None, :], second.bias, padding=(0, 1))
    np.testing.assert_allclose(
        series(features).detach(), plane.permute(0, 2, 3, 1).reshape(2, 20, 6).detach(), atol=1e-5
    )
    with pytest.raises(InputError, match="expected 20 copies on the lattice, got 19"):
        series(features[:, :19])
    with pytest.raises(InputError, match="each of 2 axes"):
        OrbitConv(3, 6, periodic=(True,), copies=(4, 5))


@pytest.mark.parametrize("trunk", ["dense", "cnn"])
def test_features_of_an_image_that_turns_by_quarters_move_along_the_copies(digits, trunk):
    images = torch.as_tensor(digits[:4, None].astype(np.float32) / 255)
    network = OrbitNetwork(Scheme.named("rotation", (28, 28)), (28, 28), 10, trunk=trunk).eval()
    turned = images.rot90(1, dims=(2, 3))
    with torch.no_grad():
        still, moved = network.features(images), network.features(turned)
        np.testing.assert_allclose(moved.roll(4, dims=1), still, atol=2e-4)
        np.testing.assert_allclose(network(turned), network(images), atol=2e-4)
    plain = OrbitNetwork(Scheme.none(), (28, 28), 10, trunk=trunk).eval()
    with torch.no_grad():
        assert float((plain(turned) - plain(images)).abs().max()) > 0.01


def test_eq_5_in_pixels_commutes_with_the_flow_it_is_made_of(smooth):
    generator = Generator([0, 0, -1, 0, 1, 0], "affine", SHAPE)
    series = PowerSeries(generator, tau=0.1, terms=3, outputs=2)
    step = PowerSeries(generator, tau=0.1, terms=1)
    with torch.no_grad():
        step.weights.zero_()[0, 0, 2] = 1.0  # the step itself
        first, second = series(step(smooth)), torch.cat([step(one[:, None]) for one in series(smooth).unbind(1)], 1)
        assert float((first - second).norm() / first.norm()) < 0.05
        # Weights of the powers -3 to 3: that of 0 alone is the identity.
        series.weights.zero_()[0, 0, 3] = 1.0
        np.testing.assert_allclose(series(smooth)[:, :1], smooth, atol=1e-5)


def test_copies_between_the_places_are_taken_in_training_only():
    lift = OrbitLift(Scheme.named("rotation", (28, 28)), (28, 28))
    images = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    assert not torch.equal(lift(images), lift(images))
    lift.eval()
    assert torch.equal(lift(images), lift(images))
