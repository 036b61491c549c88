"""Films from detection to files: frame numbers, magnitudes per frame, the steadied film, and the command line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import tifffile
from PIL import Image

from liescope import SymmetryDetector, SymmetryResult, detect, load_result
from liescope.cli import main
from liescope.data import film_pairs, read_film, write_film
from liescope.errors import InputError

SCENES, LENGTH, LAGS = 20, 6, [1, 2]


@pytest.fixture(scope="module")
def turning(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A film of several scenes, each a digit that turns to and fro, and its angles in degrees: (T, H, W), (T,)."""
    rng = np.random.default_rng(0)
    frames, angles = [], []
    for scene in range(SCENES):
        steps = np.cumsum(rng.uniform(-30, 30, LENGTH))
        for angle in steps - steps[0]:
            # SciPy counts angles counter-clockwise as the page shows them.
            image = scipy.ndimage.rotate(digits[scene].astype(float), angle, reshape=False, order=3)
            frames.append(np.clip(image, 0, 255))
            angles.append(angle)
    return np.array(frames).astype(np.uint8), np.array(angles)


@pytest.fixture(scope="module")
def fitted(turning: tuple[np.ndarray, np.ndarray]) -> SymmetryResult:
    return detect(frames=turning[0], lags=LAGS)


def test_pairs_are_frames_by_lag_and_time(fitted: SymmetryResult) -> None:
    first, second = film_pairs(SCENES * LENGTH, LAGS)
    np.testing.assert_array_equal(fitted.first, first)
    np.testing.assert_array_equal(fitted.second, second)
    assert fitted.pairs == len(first)
    assert [g.generator.name for g in fitted.generators] == ["rotation"]


def test_frames_have_the_magnitudes_that_they_were_made_with(
    fitted: SymmetryResult, turning: tuple[np.ndarray, np.ndarray]
) -> None:
    film = fitted.film
    assert film is not None
    assert film.t is not None
    assert film.t_error is not None
    assert film.piece is not None
    angles = film.t[:, 0] * fitted.generators[0].generator.unit_per_t
    errors = []
    for scene in range(SCENES):
        part = slice(scene * LENGTH, (scene + 1) * LENGTH)
        # Frames of a scene that are of one piece with its first one.
        same = film.piece[part] == film.piece[part][0]
        errors.extend((angles[part] - angles[part][0] - turning[1][part])[same & (film.piece[part] >= 0)])
    assert len(errors) > 0.8 * SCENES * LENGTH
    assert np.median(np.abs(errors)) < 0.3
    told = fitted.evidence["film"]
    assert told["connected"] == np.isfinite(film.t).all(axis=1).sum()
    assert told["redundant_pairs"] > 0
    assert 0 < told["misfit"][0] * fitted.generators[0].generator.unit_per_t < 1
    assert told["reason"] is None


def test_a_steadied_film_stands_still(fitted: SymmetryResult, turning: tuple[np.ndarray, np.ndarray]) -> None:
    frames, _ = turning
    still = fitted.steadied(frames)
    assert still.shape == frames.shape
    assert still.dtype == np.float32
    film = fitted.film
    assert film is not None
    assert film.piece is not None
    before, after = [], []
    for scene in range(SCENES):
        part = slice(scene * LENGTH, (scene + 1) * LENGTH)
        whole = (film.piece[part] == film.piece[part][0]) & (film.piece[part] >= 0)
        original = frames[part].astype(float)
        before.append(np.square(original - original[0])[whole].mean())
        after.append(np.square(still[part] - still[part][0])[whole].mean())
    assert np.mean(after) < 0.15 * np.mean(before)
    # Against SciPy's turn by the magnitude that was measured, on a frame of the middle of the film.
    place = int(np.flatnonzero(np.abs(np.nan_to_num(film.t[:, 0])) > 0.2)[0]) if film.t is not None else 0
    angle = film.t[place, 0] * fitted.generators[0].generator.unit_per_t if film.t is not None else 0.0
    other = scipy.ndimage.rotate(frames[place].astype(float), -angle, reshape=False, order=1)
    middle = (slice(5, -5), slice(5, -5))
    assert np.abs(still[place] - other)[middle].mean() < 4
    # Parts of the film, colours, and larger frames go the same way.
    np.testing.assert_array_equal(fitted.steadied(frames[40:50], 40), still[40:50])
    colour = np.repeat(frames[:, None], 3, axis=1)
    np.testing.assert_allclose(fitted.steadied(colour)[:, 1], still, atol=1e-4)
    assert fitted.steadied(np.zeros((120, 40, 50))).shape == (120, 40, 50)


def test_frames_that_nothing_connects_stay_as_they_are(
    fitted: SymmetryResult, turning: tuple[np.ndarray, np.ndarray]
) -> None:
    film = fitted.film
    assert film is not None
    assert film.t is not None
    t = film.t.copy()
    t[7] = np.nan
    part = dataclasses.replace(fitted, film=dataclasses.replace(film, t=t))
    still = part.steadied(turning[0])
    np.testing.assert_allclose(still[7], turning[0][7], atol=1e-3)


def test_what_cannot_be_steadied_is_refused(fitted: SymmetryResult, make_result: Callable[..., SymmetryResult]) -> None:
    with pytest.raises(InputError, match="got a result of pairs"):
        make_result("rotation").steadied(np.zeros((4, 12, 12)))
    assert make_result("rotation").first is None
    assert make_result("rotation").frame_t is None
    with pytest.raises(InputError, match=r"120 .*got \(121, 28, 28\)"):
        fitted.steadied(np.zeros((121, 28, 28)))
    with pytest.raises(InputError, match="from frame 100 on"):
        fitted.steadied(np.zeros((21, 28, 28)), 100)


def test_a_film_comes_back_from_its_folder(fitted: SymmetryResult, tmp_path: Path) -> None:
    folder = fitted.save(tmp_path / "found")
    again = load_result(folder)
    arrays = np.load(folder / "magnitudes.npz")
    for name in ("first", "second", "frame_t", "frame_t_error"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fitted, name))
        np.testing.assert_array_equal(arrays[name], getattr(fitted, name))
    assert again.film is not None
    assert fitted.film is not None
    assert (again.film.frames, again.film.lags) == (120, (1, 2))
    np.testing.assert_array_equal(again.film.piece, fitted.film.piece)
    assert again.film.shown is not None
    assert fitted.film.shown is not None
    np.testing.assert_array_equal(again.film.shown.images, fitted.film.shown.images)
    content = json.loads((folder / "result.json").read_text())
    assert content["data"]["frames"] == 120
    assert content["data"]["lags"] == [1, 2]
    assert content["evidence"]["film"]["connected"] == fitted.evidence["film"]["connected"]
    np.savez(folder / "magnitudes.npz", **{**dict(arrays), "first": arrays["first"][:-1]})
    with pytest.raises(InputError, match=r"expected first of shape \(237,\)"):
        load_result(folder)


def test_a_result_of_pairs_has_no_film(make_result: Callable[..., SymmetryResult], tmp_path: Path) -> None:
    again = load_result(make_result("rotation").save(tmp_path / "r"))
    assert again.film is None
    assert set(np.load(tmp_path / "r" / "magnitudes.npz")) == {"t", "residual", "accepted"}


def test_generators_that_do_not_commute_have_no_frame_magnitudes(turning: tuple[np.ndarray, np.ndarray]) -> None:
    from liescope.detector.filming import pairs_of_film, with_frames
    from tests.conftest import build_result

    pairs = pairs_of_film(None, None, turning[0], [1])
    assert pairs is not None
    count = len(pairs.first)
    t = np.random.default_rng(0).uniform(-0.5, 0.5, (count, 2))
    options: dict[str, Any] = {"pairs": count, "t": t, "shape": (1, 28, 28), "t_error": np.full((count, 2), 0.01)}
    both = with_frames(build_result("rotation", "translation-x", **options), pairs)
    assert both.frame_t is None
    assert "do not commute" in both.evidence["film"]["reason"]
    with pytest.raises(InputError, match="do not commute"):
        both.steadied(turning[0])
    shifts = with_frames(build_result("translation-x", "translation-y", **options), pairs)
    assert shifts.frame_t is not None
    assert shifts.evidence["film"]["reason"] is None


def test_one_scene_gives_a_film_whatever_the_verdict(digits: np.ndarray, tmp_path: Path) -> None:
    frames = np.stack([np.roll(digits[3], k % 7 - 3, axis=1) for k in range(24)])
    result = detect(frames=frames, lags=[1, 2])
    assert result.first is not None
    assert result.pairs == 23 + 22
    again = load_result(result.save(tmp_path / "r"))
    np.testing.assert_array_equal(again.second, result.second)
    assert again.verdict == result.verdict


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": np.zeros((30, 9, 9)), "lags": [0]}, "got 0"),
        ({"frames": np.zeros((30, 9, 9)), "lags": [30]}, "from 1 to 29 for 30 frames, got 30"),
        ({"frames": np.zeros((1, 9, 9))}, "at least 2 frames, got 1"),
        ({"frames": np.zeros((30, 9, 9, 3))}, "channels first"),
        ({"frames": [np.zeros((9, 9)), np.zeros((9, 8))]}, "of one shape"),
        ({"X": np.zeros((30, 9, 9)), "Y": np.zeros((30, 9, 9)), "lags": [1]}, "lags for pairs"),
        ({"X": np.zeros((30, 9, 9)), "frames": np.zeros((30, 9, 9))}, "got both"),
        ({"X": np.zeros((30, 9, 9))}, r"got X alone .*try detect\(X, Y\), or detect\(frames=X\) for a film"),
        ({}, "got neither"),
    ],
)
def test_bad_films_are_refused_in_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        detect(**arguments)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=message):
        SymmetryDetector().fit(**arguments)


# --- the command line


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_film_from_file_to_steadied_file(
    here: Path, turning: tuple[np.ndarray, np.ndarray], fitted: SymmetryResult, capsys: pytest.CaptureFixture[str]
) -> None:
    frames, _ = turning
    tifffile.imwrite("film.tif", frames, photometric="minisblack")
    assert main(["detect", "film.tif", "--lags", "2,1", "--out", "found"]) == 0
    captured = capsys.readouterr()
    assert "Rotation" in captured.out
    assert "120 frames" in captured.out
    assert "reading the film" in captured.err
    found = load_result("found")
    np.testing.assert_array_equal(found.first, fitted.first)
    np.testing.assert_array_equal(found.t, fitted.t)
    still = fitted.steadied(frames)
    for name in ("s.npz", "s.tif", "s.mp4"):
        assert main(["apply", "found", "film.tif", "--steady", "--out", name]) == 0
        assert f"120 frames steadied: {name}" in capsys.readouterr().out
        written = np.asarray(read_film(name)[:])
        assert written.dtype == np.uint8
        assert np.abs(written - still).mean() < (1.5 if name == "s.mp4" else 0.3)
    assert main(["detect", "film.tif", "--out", "again", "--quiet"]) == 0
    film = load_result("again").film
    assert film is not None
    assert film.lags == (1,)


@pytest.mark.parametrize("kind", ["npz", "h5", "folder", "fits", "avi"])
def test_any_kind_of_film_gives_the_same_answer(here: Path, turning: tuple[np.ndarray, np.ndarray], kind: str) -> None:
    import av
    import h5py
    from astropy.io import fits

    frames = turning[0]
    path = f"film.{kind}"
    if kind == "npz":
        write_film(path, [frames], frames.shape, frames.dtype)
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file["frames"] = frames
    elif kind == "fits":
        fits.PrimaryHDU(frames).writeto(path)
    elif kind == "folder":
        Path(path).mkdir()
        for k, frame in enumerate(frames):
            Image.fromarray(frame).save(f"{path}/frame{k}.png")
    else:
        with av.open(path, "w") as film:
            stream: Any = film.add_stream("ffv1", rate=10)
            stream.height, stream.width, stream.pix_fmt = *frames.shape[1:], "gray"
            for frame in frames:
                film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
            film.mux(stream.encode())
    result = detect(frames=read_film(path), lags=LAGS)
    other = detect(frames=frames, lags=LAGS)
    np.testing.assert_array_equal(result.t, other.t)
    np.testing.assert_array_equal(result.frame_t, other.frame_t)


def film_file(name: str, count: int = 9) -> None:
    np.savez(name, frames=np.zeros((count, 9, 9), np.uint8))


@pytest.mark.parametrize(
    ("lags", "message"),
    [
        ("0", "from 1 to 8 for 9 frames, got 0"),
        ("-1", "got -1"),
        ("9", "got 9"),
        ("1,1", "got 1 repeatedly"),
        ("1.5", "whole numbers separated by commas for --lags, got '1.5'"),
        ("one", "got 'one'"),
        ("", "got ''"),
    ],
)
def test_bad_lags_on_the_command_line(here: Path, refused: Callable[..., str], lags: str, message: str) -> None:
    film_file("film.npz")
    assert message in refused("detect", "film.npz", f"--lags={lags}", "--out", "r", "--quiet")


def test_mistakes_with_films_get_one_line(here: Path, refused: Callable[..., str]) -> None:
    film_file("film.npz")
    film_file("one.npz", 1)
    np.savez("pairs.npz", source=np.zeros((9, 9, 9)), target=np.zeros((9, 9, 9)))
    np.savez("sets.npz", before=np.zeros((9, 9, 9)), after=np.zeros((9, 9, 9)))
    np.savez("last.npz", frames=np.zeros((9, 9, 9, 3)))
    Image.new("L", (9, 9)).save("one.png")
    detect_one = ("--out", "r", "--quiet")
    assert "expected a film with --lags, got pairs" in refused("detect", "pairs.npz", "--lags", "1", *detect_one)
    assert "at least 2 frames, got 1" in refused("detect", "one.npz", *detect_one)
    assert "sets (before, after), which are not there yet" in refused("detect", "sets.npz", *detect_one)
    assert "try frames.transpose(0, 3, 1, 2)" in refused("detect", "last.npz", *detect_one)
    assert "got one image, 'one.png', try a folder" in refused("detect", "one.png", *detect_one)
    assert "no such file" in refused("detect", "none.tif", *detect_one)
    Path("noise.avi").write_bytes(np.random.default_rng(0).bytes(3000))
    assert "expected a film that can be read, got 'noise.avi'" in refused("detect", "noise.avi", *detect_one)
    Path("frames").mkdir()
    for k, side in enumerate((9, 9, 8)):
        Image.new("L", (side, 9)).save(f"frames/f{k}.png")
    assert "and 9x8 uint8 in 'f2.png'" in refused("detect", "frames", *detect_one)


def test_mistakes_with_steady_get_one_line(
    here: Path, refused: Callable[..., str], make_result: Callable[..., SymmetryResult], fitted: SymmetryResult
) -> None:
    film_file("film.npz")
    make_result("rotation").save("pairs")
    fitted.save("found")
    out = ("--out", "s.npz", "--quiet")
    assert "expected the result of a film, got one of pairs" in refused("apply", "pairs", "film.npz", "--steady", *out)
    assert "of 120 frames, got 9 in 'film.npz'" in refused("apply", "found", "film.npz", "--steady", *out)
    assert "--steady or --t, got both" in refused("apply", "found", "film.npz", "--steady", "--t", "1", *out)
    assert "neither --t nor --steady" in refused("apply", "found", "film.npz", *out)
    told = refused("apply", "found", "film.npz", "--steady", "--out", "s.gif", "--quiet")
    assert "ending in .npz or .tif or .tiff or .mp4" in told
