"""The page's section of a film: plots, words, and what its player reads."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest

from liescope import SymmetryResult
from liescope.detector.filming import pairs_of_film, with_frames
from liescope.errors import InputError
from liescope.report import plot_frames, render_page
from liescope.report.film import film_view, film_words
from liescope.report.theme import new_axes
from tests.conftest import build_result


def film_result(
    frames: np.ndarray, t: np.ndarray, *fields: Any, lags: tuple[int, ...] = (1, 2), error: float = 0.01, **changes: Any
) -> SymmetryResult:
    """A result of that film whose frames have magnitudes t (T, K), up to ``error``."""
    pairs = pairs_of_film(None, None, frames, list(lags))
    assert pairs is not None
    noise = error * np.random.default_rng(0).standard_normal((len(pairs.first), t.shape[1]))
    options: dict[str, Any] = {
        "pairs": len(pairs.first),
        "shape": tuple(int(n) for n in pairs.frames.shape[1:]),
        "t": t[pairs.second] - t[pairs.first] + noise,
        "t_error": np.full((len(pairs.first), t.shape[1]), error),
        "accepted": np.ones(len(pairs.first), bool),
        "background": np.zeros(pairs.frames.shape[1]),
    }
    return with_frames(build_result(*fields, **(options | changes)), pairs)


def swinging(frames: int, count: int = 1) -> np.ndarray:
    return 0.4 * np.sin(np.arange(frames)[:, None] / 4 + np.arange(count))


def noise(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, shape).astype(dtype)


def player_of(page: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(re.findall(r'id="film-data">(.*?)</script>', page, re.DOTALL)[0])
    return content


def test_the_player_has_the_film_and_its_magnitudes() -> None:
    frames = noise(30, 12, 14)
    result = film_result(frames, swinging(30), "rotation")
    player = player_of(render_page(result))
    assert player["images"]["count"] == 30
    data = np.frombuffer(base64.b64decode(player["images"]["data"]), np.uint8)
    np.testing.assert_array_equal(data.reshape(30, 12, 14), frames)
    assert player["index"] == list(range(30))
    assert result.frame_t is not None
    np.testing.assert_allclose(np.array(player["t"]), result.frame_t, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "note"),
    [
        ((900, 12, 14), "one frame in 2 (450 of 900)"),
        ((40, 3, 300, 200), "pixels"),
        ((2000, 20, 300), "one frame in"),
    ],
)
def test_long_and_large_films_stay_small_and_say_so(shape: tuple[int, ...], note: str) -> None:
    frames = np.broadcast_to(noise(1, *shape[1:]), shape)
    result = film_result(frames, swinging(shape[0]), "rotation", samples=False)
    page = render_page(result)
    assert len(page) < 2_600_000
    view = film_view(result)
    assert view is not None
    assert note in view.note
    assert view.note in page
    player = player_of(page)
    assert len(player["t"]) == len(player["index"]) == player["images"]["count"] <= 600
    assert max(player["index"]) < shape[0]


def test_deep_films_are_shown_by_most_of_their_grey_values() -> None:
    frames = (1000 + 100 * noise(20, 40, 40, dtype=np.float64)).astype(np.uint16)
    frames[3, 3, 3] = 65535
    shown = film_result(frames, swinging(20), "rotation").film
    assert shown is not None
    assert shown.shown is not None
    assert shown.shown.images.std() > 50
    assert shown.shown.high < 30000
    missing = frames.astype(np.float32)
    missing[2, :4] = np.nan
    again = film_result(missing, swinging(20), "rotation").film
    assert again is not None
    assert again.shown is not None
    assert (again.shown.images[2, 0, :4] == 0).all()


def test_lines_are_pieces_and_bands_their_errors() -> None:
    frames = noise(30, 12, 14)
    pairs = pairs_of_film(None, None, frames, [1, 2])
    assert pairs is not None
    accepted = (pairs.first < 17) == (pairs.second < 17)
    result = film_result(frames, swinging(30), "rotation", accepted=accepted)
    ax = plot_frames(result, ax=new_axes(5, 2)[0, 0])
    per_t = result.generators[0].generator.unit_per_t
    lines = [line for line in ax.lines if len(np.asarray(line.get_xdata())) > 2]
    assert [len(np.asarray(line.get_xdata())) for line in lines] == [17, 13]
    assert result.frame_t is not None
    assert result.frame_t_error is not None
    np.testing.assert_allclose(np.asarray(lines[1].get_ydata()), result.frame_t[17:, 0] * per_t)
    band = ax.collections[0].get_paths()[0].vertices
    assert np.asarray(band)[:, 1].max() == pytest.approx(
        float((result.frame_t + 1.96 * result.frame_t_error)[:17, 0].max() * per_t), rel=1e-3
    )
    view = film_view(result)
    assert view is not None
    assert 'data-limits="0 29 ' in str(view.plots[0])
    assert any("falls into 2 pieces" in text for text in view.words)


def test_words_say_how_well_magnitudes_add_up() -> None:
    result = film_result(noise(40, 12, 14), swinging(40), "rotation", lags=(1, 2, 5))
    per_t = result.generators[0].generator.unit_per_t
    first, adds, *rest = film_words(result)
    assert first == "40 frames, in pairs that are 1, 2 and 5 frames apart."
    told = re.search(r"agree to ([\d.]+) degrees \(standard deviation of a pair, ([\d.]+) times", adds)
    assert told
    assert float(told[1]) == pytest.approx(0.01 * per_t, rel=0.3)
    assert 0.7 < float(told[2]) < 1.4
    assert rest == []
    alone = film_words(film_result(noise(40, 12, 14), swinging(40), "rotation", lags=(1,)))
    assert "nothing to check" in alone[1]
    assert film_words(build_result("rotation")) == []
    t = swinging(40)
    pairs = 39
    lost = film_result(noise(40, 12, 14), t, "rotation", lags=(1,), accepted=np.arange(pairs) != pairs - 1)
    assert film_words(lost)[-1] == "1 frame is in no accepted pair and stays as it is."


def test_a_film_without_magnitudes_says_why_and_shows_no_player() -> None:
    frames = noise(30, 12, 14)
    both = film_result(frames, swinging(30, 2), "rotation", "translation-x")
    page = render_page(both)
    assert 'id="film-data"' not in page
    assert "do not commute" in page
    none = film_result(frames, np.zeros((30, 0)))
    assert 'id="film-data"' not in render_page(none)
    assert 'id="film-data"' not in render_page(build_result("rotation"))
    with pytest.raises(InputError, match="magnitudes of a film's frames"):
        plot_frames(both)
    with pytest.raises(InputError, match="generator= below 1"):
        plot_frames(film_result(frames, swinging(30), "rotation"), 1)


def test_stills_are_the_frames_moved_back() -> None:
    frames = np.zeros((30, 12, 14), np.uint8)
    frames[:, 5, 9] = 255
    t = np.arange(30)[:, None] * 0.01
    result = film_result(frames, t, "rotation", error=1e-6)
    view = film_view(result)
    assert view is not None
    assert [before.caption for before, _ in view.stills] == ["frame 0", "frame 7", "frame 14", "frame 22", "frame 29"]
    assert view.stills[0][0].uri == view.stills[0][1].uri
    assert view.stills[-1][0].uri != view.stills[-1][1].uri


def test_two_generators_that_commute_have_a_plot_each() -> None:
    result = film_result(noise(30, 12, 14), swinging(30, 2), "translation-x", "translation-y")
    view = film_view(result)
    assert view is not None
    assert len(view.plots) == 2
    page = render_page(dataclasses.replace(result))
    assert len(player_of(page)["t"][0]) == 2
    assert "Generator 2" in page
