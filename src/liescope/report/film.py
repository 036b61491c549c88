"""What the page shows of a film: magnitudes against time, and a player of the film as it is and steadied."""

from __future__ import annotations

import base64
import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from liescope.answer import Answer
from liescope.answer.film import Film, FilmImages
from liescope.answer.numbers import number
from liescope.errors import InputError
from liescope.report.numbers import unit_label
from liescope.report.plots import chosen_generator, factor_axis, magnitude_label
from liescope.report.theme import LIGHT, PAGE, Theme, figure, new_axes, page_svg
from liescope.report.typesetting import escaped
from liescope.report.views import Picture, data_uri, for_drawing

__all__ = ["FilmView", "film_view", "film_words", "plot_frames"]

_Z95 = 1.959963984540054
_STILLS = 5


class FilmView(NamedTuple):
    """The section of a film: sentences, a plot for every generator, what the player reads, stills for paper.

    ``stills`` are (frame as it is, steadied). ``note`` says what of the film the player shows.
    """

    words: list[str]
    plots: list[Markup]
    player: dict[str, Any]
    note: str
    stills: list[tuple[Picture, Picture]]


def plot_frames(
    result: Answer, generator: int = 0, ax: Axes | None = None, *, theme: Theme = LIGHT, width: float = 7.0
) -> Axes:
    """Magnitude of a film's frames against their number, in natural units, with a band of 95 %.

    Every piece of the film is a line of its own, which begins at 0: frames of two pieces are not compared.

    Parameters
    ----------
    result : Answer
        Of a film.
    generator : int
        Which generator's magnitude.
    ax : Axes, optional
        Where to draw; default a new figure.
    theme : Theme
    width : float
        Inches, of a new figure.

    Raises
    ------
    InputError
        The result has no such generator, or no magnitudes of frames.
    """
    found = chosen_generator(result, generator)
    film = result.film
    if film is None or film.t is None or film.piece is None:
        raise InputError("expected a result with magnitudes of a film's frames, got one without")
    ax = new_axes(width, 0.34 * width)[0, 0] if ax is None else ax
    t = film.t[:, generator] * found.unit_per_t
    error = np.zeros_like(t) if film.t_error is None else film.t_error[:, generator] * abs(found.unit_per_t)
    for piece in range(int(film.piece.max(initial=-1)) + 1):
        frames = np.flatnonzero(film.piece == piece)
        half = _Z95 * np.nan_to_num(error[frames])
        ax.fill_between(frames, t[frames] - half, t[frames] + half, color=theme.accent, alpha=0.25, linewidth=0)
        marker = "." if len(frames) <= 60 else None
        ax.plot(frames, t[frames], color=theme.accent, linewidth=1.2, marker=marker, markersize=3)
    ax.set_xlim(0, film.frames - 1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("frame", color=theme.ink)
    ax.set_ylabel(_axis_label(magnitude_label(found)), color=theme.ink)
    ax.axhline(0, color=theme.line, linewidth=0.8, zorder=0)
    ax.tick_params(colors=theme.muted, length=3)
    ax.spines[["left", "bottom"]].set_color(theme.muted)
    ax.spines[["top", "right"]].set_visible(False)
    if found.unit == "log-factor":
        factor_axis(ax, theme, vertical=True)
    return ax


def _axis_label(label: str) -> str:
    """The label without what is long in it: an upright axis is short."""
    return label.replace(", positive is counter-clockwise", "").replace(" (logarithmic axis)", "")


def film_words(result: Answer) -> list[str]:
    """What a film's frames say, in sentences: pieces, how well magnitudes add up, what contradicts; none for pairs."""
    film, told = result.film, result.evidence.get("film")
    if film is None:
        return []
    lags = [str(lag) for lag in film.lags]
    listed = lags[0] if len(lags) == 1 else f"{', '.join(lags[:-1])} and {lags[-1]}"
    words = [f"{film.frames:,} frames, in pairs that are {listed} frame{'s' * (lags != ['1'])} apart."]
    if not told:
        return words
    if told["reason"]:
        reason = str(told["reason"])
        return [*words, f"Magnitudes of frames: none, as {reason}."]
    if told["redundant_pairs"]:
        amounts = [
            _amount(g.generator.unit_per_t, unit_label(g.generator), misfit)
            for g, misfit in zip(result.generators, told["misfit"], strict=True)
        ]
        errors = [float(value) for value in told["misfit_in_errors"] if value is not None and math.isfinite(value)]
        times = f", {number(max(errors), 2)} times what their errors say" if errors else ""
        words.append(
            f"Magnitudes add up: from frame to frame straight or by way of others they agree to {', '.join(amounts)} "
            f"(standard deviation of a pair{times})."
        )
    else:
        words.append("With one lag there is one way from frame to frame, and nothing to check the adding up by.")
    if told["contradicting_pairs"]:
        count = int(told["contradicting_pairs"])
        words.append(
            f"{count:,} pair{'s contradict' if count > 1 else ' contradicts'} the others; "
            f"{'they count' if count > 1 else 'it counts'} for nothing."
        )
    if told["pieces"] > 1:
        words.append(
            f"The film falls into {told['pieces']} pieces that no accepted pair connects; magnitudes count from the "
            "first frame of each."
        )
    lost = film.frames - int(told["connected"])
    if lost:
        are, stay = ("s are", "stay as they are") if lost > 1 else (" is", "stays as it is")
        words.append(f"{lost:,} frame{are} in no accepted pair and {stay}.")
    return words


def _amount(unit_per_t: float, unit: str, t: float | None) -> str:
    value = math.nan if t is None else abs(unit_per_t) * float(t)
    return f"{number(value, 2)} {unit}"


def film_view(result: Answer) -> FilmView | None:
    """The section of a film, or None where there is no film or nothing in it to show."""
    film = result.film
    if film is None:
        return None
    words = film_words(result)
    known = film.t is not None and film.shown is not None and len(film.shown.index) > 0
    if not known or film.shown is None or film.t is None:
        return FilmView(words, [], {}, "", [])
    plots = [
        Markup(_plot_svg(result, k, escaped(f"Magnitude {k + 1} of every frame against time")))
        for k in range(len(result.generators))
    ]
    shown, t = film.shown, film.t[film.shown.index]
    return FilmView(
        words, plots, _player(result, shown, t), _note(film, shown, result.shape), _stills(result, shown, t)
    )


def _plot_svg(result: Answer, index: int, label: str, width: float = 8.0) -> str:
    fig = figure(width, 0.3 * width)
    plot_frames(result, index, fig.axes[0], theme=PAGE)
    return page_svg(fig, f"frames{index}", label)


def _player(result: Answer, shown: FilmImages, t: np.ndarray) -> dict[str, Any]:
    """What page.js reads: bytes of the frames, their numbers and magnitudes (null where not known)."""
    count, channels, rows, columns = shown.images.shape
    data = base64.b64encode(np.ascontiguousarray(np.moveaxis(shown.images, 1, -1)).tobytes()).decode("ascii")
    grid = result.grid
    background = _background(result, shown, channels)
    return {
        "images": {"count": count, "channels": channels, "rows": rows, "columns": columns, "data": data},
        "grid": {"rows": rows, "columns": columns, "halfHeight": grid.half_height, "halfWidth": grid.half_width},
        "background": [round(float(value), 3) for value in background],
        "index": [int(k) for k in shown.index],
        "t": [[round(float(v), 6) for v in row] if np.isfinite(row).all() else None for row in t],
    }


def _background(result: Answer, shown: FilmImages, channels: int) -> np.ndarray:
    """Grey values outside of the images, on the scale of the small copies."""
    outside = np.zeros(channels) if result.background is None else np.asarray(result.background, np.float64)
    outside = outside if len(outside) == channels else np.repeat(outside.mean(), channels)
    return np.asarray(np.clip(255 * (outside - shown.low) / (shown.high - shown.low), 0, 255))


def _note(film: Film, shown: FilmImages, shape: tuple[int, int, int]) -> str:
    """What was left out to keep the page small; empty where it is the whole film."""
    rows, columns = shown.images.shape[-2:]
    parts = []
    if len(shown.index) < film.frames:
        step = int(shown.index[1] - shown.index[0]) if len(shown.index) > 1 else film.frames
        parts.append(f"one frame in {step} ({len(shown.index)} of {film.frames:,})")
    if (rows, columns) != shape[1:]:
        parts.append(
            f"{columns} \N{MULTIPLICATION SIGN} {rows} of {shape[2]} \N{MULTIPLICATION SIGN} {shape[1]} pixels"
        )
    return f"To keep this page small the player shows {', '.join(parts)}." if parts else ""


def _stills(result: Answer, shown: FilmImages, t: np.ndarray) -> list[tuple[Picture, Picture]]:
    """A few frames as they are and steadied."""
    known = np.flatnonzero(np.isfinite(t).all(axis=1))
    if not len(known):
        return []
    places = known[np.unique(np.linspace(0, len(known) - 1, min(_STILLS, len(known))).round().astype(int))]
    images = shown.images[places].astype(np.float32)
    small = dataclasses.replace(result, background=_background(result, shown, images.shape[1]))
    moved = small.transform(images, -t[places])
    pairs = []
    for place, image, back in zip(places, images, moved, strict=True):
        frame = int(shown.index[place])
        both = [data_uri(for_drawing(one / 255)) for one in (image, back)]
        pairs.append(
            (
                Picture(both[0], f"frame {frame}", f"frame {frame}"),
                Picture(both[1], f"frame {frame}, steadied", "steadied"),
            )
        )
    return pairs
