"""The page of the paper's claims, from what ``liescope reproduce all`` found."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from liescope.errors import InputError
from liescope.evaluation.benchmarks.environment import is_clean, measured_on
from liescope.evaluation.benchmarks.table import markdown_table
from liescope.reproduce.page import count_verdicts
from liescope.reproduce.writing import read_findings

__all__ = ["SHOWN", "claims_page", "take_over"]

SHOWN = ("fig4.png", "fig7.png")
"""Pictures that the page has; the others are made in minutes."""

_COLOURS = 128  # are enough for line drawings and grey images, and take a third of the room

OPENING = """\
# The paper's claims, measured

What the paper reports, figure by figure, what came out here beside the level of an answer that knows nothing, and a
verdict computed from these numbers: *confirmed*, *improved* (what the paper reports as failing or open works here), or
*not confirmed* (ours disagree, fall short, or do not show the effect). {counted}

Made by `liescope reproduce all`, {scales}: one seed and fewer pairs than the paper's, so that the verdict of a close
number may turn with another seed.{several} [How to make them](reproduce.md). This page is written by
`python -m benchmarks render`.
"""


def take_over(folder: Path, results: Path, docs: Path) -> None:
    """Copy the findings of a folder that ``liescope reproduce`` wrote to the results, and pictures to the docs."""
    found = read_findings(folder)
    if not found:
        raise InputError(f"expected figures in {folder}, got none")
    _check_committed(found)
    if tried := [content["name"] for content in found if content["settings"].get("tiny")]:
        raise InputError(f"expected figures of quick or full scale, got {', '.join(tried)} that were only tried out")
    images = docs / "images"
    for made in (results, images):
        made.mkdir(parents=True, exist_ok=True)
    for content in found:
        shutil.copyfile(folder / f"{content['name']}.json", results / f"{content['name']}.json")
    for name in SHOWN:
        if (folder / name).is_file():
            with Image.open(folder / name) as picture:
                small = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
            small.save(images / f"paper-{name}", optimize=True)


def claims_page(results: Path, docs: Path) -> str | None:
    """The page as Markdown; None where nothing was reproduced yet."""
    made = read_findings(results)
    if not made:
        return None
    _check_committed(made)
    verdicts = count_verdicts(made)
    listed = ", ".join(f"{count} are {verdict}" for verdict, count in verdicts if count)
    counted = f"Of {sum(count for _, count in verdicts)} claims {listed}."
    scales = " and ".join(sorted({f"{one['settings']['scale']} scale, seed {one['settings']['seed']}" for one in made}))
    commits = len({one["environment"]["commit"] for one in made})
    several = f" The figures were made by {commits} states of the code, named below each." if commits > 1 else ""
    opening = OPENING.format(counted=counted, scales=scales, several=several)
    return "\n".join([opening, *(_figure(content, docs) for content in made)])


def _figure(content: Mapping[str, Any], docs: Path) -> str:
    machine = content["environment"]
    pictures = [name for name in content["pictures"] if (docs / "images" / f"paper-{name}").is_file()]
    lines = [f"## {content['title']}", ""]
    for name in pictures:
        lines += [f"![{content['title']}](images/paper-{name})", "", content["caption"], ""]
    rows = [[f"{one['claim']} ({one['place']})", one["measured"], one["verdict"]] for one in content["findings"]]
    lines += markdown_table(["the paper", "here", ""], rows)
    told = (
        f"`liescope reproduce {content['name']}`: {content['seconds']:.0f} s; {measured_on(machine)}, load "
        f"{machine['load_average']:.1f}."
    )
    return "\n".join([*lines, "", told, ""])


def _check_committed(found: Sequence[Mapping[str, Any]]) -> None:
    if unknown := [content["name"] for content in found if not is_clean(content["environment"])]:
        raise InputError(
            f"expected figures of committed code, got uncommitted changes in {', '.join(unknown)}: "
            "try to make them again from a clean checkout"
        )
