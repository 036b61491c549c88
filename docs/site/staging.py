"""The sources of the site, gathered from where people read them beside the code.

Pages are plain Markdown that also reads well in the repository, so their links lead to files of the repository.
Here every page is copied to its place on the site and its links are led to other pages there, or to a copy of the
file. The pages that would drift if they were written by hand are made: the command line and the API.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from docs.site.reference import api_pages, command_line_page

__all__ = ["site_pages", "stage"]

_LINK = re.compile(r"(?<=\]\()(?P<path>[^)#\s:]+)(?P<place>#[^)\s]*)?(?=\))")


def site_pages(root: Path) -> dict[Path, Path]:
    """Every written page of the repository that the site has, and its place there."""
    pages = {path: Path(path.name) for path in sorted((root / "docs").glob("*.md"))}
    pages |= {path: Path("measured", path.name) for path in sorted((root / "benchmarks" / "results").glob("*.md"))}
    return pages | {
        root / f"{name}.md": Path(f"{name.lower()}.md") for name in ("CHANGELOG", "CONTRIBUTING", "RELEASING")
    }


def stage(root: Path, source: Path) -> None:
    """Write the whole source folder of the site."""
    pages = site_pages(root)
    texts = {place: _linked(path, place, pages, root, source) for path, place in pages.items()}
    texts[Path("measured", "index.md")] = _measured_index(pages)
    texts[Path("command-line.md")] = command_line_page()
    texts |= api_pages()
    texts[Path("conf.py")] = (root / "docs" / "site" / "conf.py").read_text(encoding="utf-8")
    for place, text in texts.items():
        _write(source / place, text)
    for folder in ("images", "static"):
        shutil.copytree(root / "docs" / folder, source / folder, dirs_exist_ok=True)
    for stale in [*source.glob("*.md"), *source.glob("measured/*.md"), *source.glob("api/*.rst")]:
        if stale.relative_to(source) not in texts:
            stale.unlink()


def _write(path: Path, text: str) -> None:
    """Write what has changed only: Sphinx reads again what is newer."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _linked(path: Path, place: Path, pages: dict[Path, Path], root: Path, source: Path) -> str:
    """The text of a page with its links led to the site."""

    def led(match: re.Match[str]) -> str:
        target = (path.parent / match["path"]).resolve()
        on_site = pages.get(target)
        if target == root / "README.md":
            on_site = Path("index.md")
        elif target.parent == root / "examples" / "gallery":
            on_site = Path("gallery", f"{target.stem}.rst")
        if on_site is None:
            if not target.is_file() or target.is_relative_to(root / "docs"):
                return match[0]
            on_site = Path("files", target.name)
            (source / "files").mkdir(parents=True, exist_ok=True)
            shutil.copy2(target, source / on_site)
        return os.path.relpath(on_site, place.parent) + (match["place"] or "")

    text = path.read_text(encoding="utf-8")
    # The tables' own title is a second-level heading.
    return _LINK.sub(led, text if text.startswith("# ") else re.sub(r"^#(?=#)", "", text, flags=re.MULTILINE))


def _measured_index(pages: dict[Path, Path]) -> str:
    about = [f"../{name}" for name in ("benchmarks", "reproduce", "claims") if Path(f"{name}.md") in pages.values()]
    tables = sorted(place.stem for place in pages.values() if place.parent == Path("measured"))
    intro = (
        "Tables as `make bench` wrote them, with the machine, the versions and the time; the raw "
        "numbers lie beside them as JSON. `make bench` makes them again."
    )
    return "\n".join(["# Measured", "", intro, "", "```{toctree}", ":maxdepth: 1", "", *about, *tables, "```", ""])
