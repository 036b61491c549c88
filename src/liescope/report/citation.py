"""How to cite the software and the paper whose method it implements (CITATION.cff, which is not installed)."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Citation", "citations"]


class Citation(NamedTuple):
    """What is cited, as a sentence and as BibTeX."""

    what: str
    text: str
    bibtex: str


def citations(version: str) -> list[Citation]:
    """The software, in the version that computed a result, and the paper."""
    return [
        Citation(
            "The software",
            f"The liescope authors. liescope: continuous symmetries from data, version {version}.",
            "@software{liescope,\n"
            "  author  = {{The liescope authors}},\n"
            "  title   = {liescope: continuous symmetries from data},\n"
            f"  version = {{{version}}}\n"
            "}",
        ),
        Citation(
            "The paper",
            "Gabel, A., Quax, R. and Gavves, E. (2025). Type-II neural symmetry detection with Lie theory. "
            "Scientific Reports 15, 33500. doi:10.1038/s41598-025-17098-8",
            "@article{gabel2025typeii,\n"
            "  author  = {Gabel, Alex and Quax, Rick and Gavves, Efstratios},\n"
            "  title   = {Type-{II} neural symmetry detection with {Lie} theory},\n"
            "  journal = {Scientific Reports},\n"
            "  volume  = {15},\n"
            "  pages   = {33500},\n"
            "  year    = {2025},\n"
            "  doi     = {10.1038/s41598-025-17098-8}\n"
            "}",
        ),
    ]
