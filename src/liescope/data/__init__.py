"""Data: files of pairs, image corpora, laws of t, and the paper's tasks; names are imported when they are used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liescope.data.checks import MIN_PAIRS, MIN_SIDE, ImageStack, validate_images
    from liescope.data.corpora import CORPORA, Corpus, load_corpus
    from liescope.data.films import film_pairs, holds_film, read_film, write_film
    from liescope.data.frame import Frame, resize_images
    from liescope.data.laws import LAWS, parse_law
    from liescope.data.pairs import META_KEYS, Pairs, load_pairs, save_pairs
    from liescope.data.preview import preview_sheet
    from liescope.data.sequences import pairs_from_sequence
    from liescope.data.sets import Sets, load_sets, validate_sets
    from liescope.data.tasks import TASKS, make_pairs, pairs_from
    from liescope.data.transforms import (
        TRANSFORMS,
        Transform,
        canonical_transform,
        parse_transforms,
        user_transform,
    )
    from liescope.data.two_paths import pairs_from_paths

__all__ = [
    "CORPORA",
    "LAWS",
    "META_KEYS",
    "MIN_PAIRS",
    "MIN_SIDE",
    "TASKS",
    "TRANSFORMS",
    "Corpus",
    "Frame",
    "ImageStack",
    "Pairs",
    "Sets",
    "Transform",
    "canonical_transform",
    "film_pairs",
    "holds_film",
    "load_corpus",
    "load_pairs",
    "load_sets",
    "make_pairs",
    "pairs_from",
    "pairs_from_paths",
    "pairs_from_sequence",
    "parse_law",
    "parse_transforms",
    "preview_sheet",
    "read_film",
    "resize_images",
    "save_pairs",
    "user_transform",
    "validate_images",
    "validate_sets",
    "write_film",
]

_HOMES = {
    "ImageStack": "checks",
    "MIN_PAIRS": "checks",
    "MIN_SIDE": "checks",
    "validate_images": "checks",
    "CORPORA": "corpora",
    "Corpus": "corpora",
    "load_corpus": "corpora",
    "film_pairs": "films",
    "holds_film": "films",
    "read_film": "films",
    "write_film": "films",
    "Frame": "frame",
    "resize_images": "frame",
    "LAWS": "laws",
    "parse_law": "laws",
    "META_KEYS": "pairs",
    "Pairs": "pairs",
    "load_pairs": "pairs",
    "save_pairs": "pairs",
    "preview_sheet": "preview",
    "pairs_from_sequence": "sequences",
    "Sets": "sets",
    "load_sets": "sets",
    "validate_sets": "sets",
    "TASKS": "tasks",
    "make_pairs": "tasks",
    "pairs_from": "tasks",
    "TRANSFORMS": "transforms",
    "Transform": "transforms",
    "canonical_transform": "transforms",
    "parse_transforms": "transforms",
    "user_transform": "transforms",
    "pairs_from_paths": "two_paths",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
