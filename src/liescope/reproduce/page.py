"""One page with every figure, our numbers and what the paper says, claim by claim."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from liescope import __version__
from liescope.data.pairs import atomic_path
from liescope.evaluation.benchmarks.environment import measured_on
from liescope.report.typesetting import fill
from liescope.reproduce.registry import FIGURES
from liescope.reproduce.writing import read_findings

__all__ = ["count_verdicts", "render_reproductions", "write_page"]

_MARKS = {"confirmed": "\N{CHECK MARK}", "improved": "\N{UPWARDS ARROW}", "not confirmed": "\N{MULTIPLICATION SIGN}"}


def render_reproductions(folder: Path) -> str:
    """The page of what lies in a folder, with the pictures inside it.

    Parameters
    ----------
    folder : Path
        Where :func:`liescope.reproduce.writing.write_reproduction` has written.
    """
    made = read_findings(folder)
    # The reports' look: colours, style sheet, light and dark.
    return fill(
        "reproduction.html.j2",
        package="liescope.reproduce",
        version=__version__,
        kind="the paper again",
        title="The paper's figures again",
        figures=[_figure(content, folder) for content in made],
        missing=[name for name in FIGURES if name not in {content["name"] for content in made}],
        verdicts=count_verdicts(made),
        warning=_warning(made),
        marks=_MARKS,
    )


def write_page(folder: Path) -> Path:
    """Write :func:`render_reproductions` to ``index.html``."""
    path = folder / "index.html"
    with atomic_path(path) as temporary:
        temporary.write_text(render_reproductions(folder), encoding="utf-8")
    return path


def count_verdicts(made: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Verdicts and how many findings have each, those that none has too."""
    counted = Counter(finding["verdict"] for content in made for finding in content["findings"])
    return [(verdict, counted[verdict]) for verdict in _MARKS]


def _warning(made: Sequence[Mapping[str, Any]]) -> str:
    """What must be known before the verdicts are added up, or nothing."""
    settings = [content["settings"] for content in made]
    if any(one.get("tiny") for one in settings):
        return "Figures here were only tried out (--tiny): their numbers and verdicts mean nothing."
    if len({(one["scale"], one["seed"]) for one in settings}) > 1:
        return "Figures of different scales or seeds lie in this folder; each says its own."
    return ""


def _figure(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    pictures = []
    for name in content["pictures"]:
        path = folder / name
        if path.is_file():
            pictures.append((f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}", path.stem))
    machine = content["environment"]
    return {
        **content,
        "pictures": pictures,
        "settings": [(str(name).replace("_", " "), _told(value)) for name, value in content["settings"].items()],
        "measured_on": f"{content['seconds']:g} s, {measured_on(machine)}",
    }


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_told(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)
