"""What ``help`` says: every parameter, what comes back, what is refused, and examples that run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import liescope
from liescope import SymmetryDetector, SymmetryResult, detect, load_result
from liescope.data import load_pairs, make_pairs

SOURCE = Path(liescope.__file__).parent
WITH_EXAMPLES = sorted(
    name
    for module in pkgutil.walk_packages(liescope.__path__, "liescope.")
    for name in [module.name]
    if (path := SOURCE.joinpath(*name.split(".")[1:]).with_suffix(".py")).is_file()
    and ">>>" in path.read_text(encoding="utf-8")
)
TOP = (detect, SymmetryDetector, SymmetryResult.transform, load_result, load_pairs, make_pairs)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_docstrings_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    module: ModuleType = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0, capsys.readouterr().out


def sections(text: str) -> dict[str, str]:
    """The sections of a docstring by their titles."""
    parts = re.split(r"^(\w[\w ]*)\n-+$", inspect.cleandoc(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("value", TOP, ids=lambda value: value.__qualname__)
def test_what_is_used_first_is_described_whole(value: Callable[..., Any]) -> None:
    told = sections(value.__doc__ or "")
    assert {"Parameters", "Raises", "Examples"} <= set(told)
    assert {"Returns", "Attributes"} & set(told)
    assert re.search(r"^ {4}\S", told["Raises"], re.MULTILINE)
    heads = re.findall(r"^(\w.*?)(?: : (.*))?$", told["Parameters"], re.MULTILINE)
    named = {name for names, _ in heads for name in names.split(", ")}
    assert named == set(inspect.signature(value).parameters) - {"self"}


def test_images_are_described_with_their_shapes() -> None:
    for value in (detect, SymmetryDetector.fit, SymmetryResult.transform):
        assert "(N, C, H, W)" in sections(value.__doc__ or "")["Parameters"], value
