"""Imports go one way: every module imports only from its own layer and from those below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "liescope"
SOURCE = Path(__file__).parents[1] / "src" / PACKAGE

LAYERS = (
    {"errors"},
    {"geometry"},
    {"algebra"},
    {"data"},
    {"registration", "latent"},
    {"inference"},
    {"result"},
    {"detector"},
    {"evaluation"},
    {"report"},
    {"reproduce"},
    {"cli"},
    {"__main__"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# A result writes its own page: the one import upwards, when it is asked to and not before.
LAZY_UPWARDS = {("result", "report")}


class Import(NamedTuple):
    """An import statement: the full name of what it brings, and whether it runs only when a function does."""

    name: str
    line: int
    lazy: bool


def imports(tree: ast.AST, module: str, *, is_package: bool, lazy: bool = False) -> Iterator[Import]:
    """All imports of a module: at its top, inside functions, under ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            base = [*parent, *(node.module or "").split(".")]
            for alias in node.names:
                yield Import(".".join([*filter(None, base), alias.name]), node.lineno, lazy)
        else:
            inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from imports(node, module, is_package=is_package, lazy=inside)


def violations(sources: Mapping[str, str], packages: frozenset[str] = frozenset()) -> list[str]:
    """What breaks the order.

    Parameters
    ----------
    sources : mapping
        From the full name of a module to its text.
    packages : frozenset of str
        The modules that are an ``__init__.py``.
    """
    found = []
    for module, text in sources.items():
        if module == PACKAGE:
            continue  # The facade: it may name anything, and nothing but its version may be taken from it.
        own = module.split(".")[1]
        if own not in RANK:
            found.append(f"{module}: layer {own!r} has no place in the order")
            continue
        for name, line, lazy in imports(ast.parse(text), module, is_package=module in packages):
            parts = name.split(".")
            place = f"{module}:{line} imports {name}"
            if parts[0] == "torch" and own in ("errors", "data"):
                found.append(f"{place}: {own} must not depend on torch")
            if parts[0] != PACKAGE or parts[1:] == ["__version__"]:
                continue
            if len(parts) == 1 or parts[1] not in RANK:
                found.append(f"{place}: not a layer")
                continue
            other = parts[1]
            if other == own or (lazy and (own, other) in LAZY_UPWARDS):
                continue
            if RANK[other] == RANK[own]:
                found.append(f"{place}: {own} and {other} stand side by side")
            elif RANK[other] > RANK[own]:
                found.append(f"{place}: {other} is above {own}")
    return found


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_imports_go_one_way() -> None:
    files = sorted(SOURCE.rglob("*.py"))
    sources = {module_name(path): path.read_text(encoding="utf-8") for path in files}
    packages = frozenset(module_name(path) for path in files if path.name == "__init__.py")
    assert f"{PACKAGE}.errors" in sources
    assert violations(sources, packages) == []


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("geometry.grid", "from liescope.algebra import Generator", "algebra is above geometry"),
        ("geometry.grid", "import liescope.algebra.gauge as g", "algebra is above geometry"),
        ("algebra.span", "from liescope import data", "data is above algebra"),
        ("algebra.span", "from ..report import words", "report is above algebra"),
        ("algebra.span", "def f():\n    if 1:\n        import liescope.cli", "cli is above algebra"),
        ("algebra.span", "if TYPE_CHECKING:\n    from liescope.result import x", "result is above algebra"),
        ("algebra.span", "try:\n    import liescope.cli\nexcept ImportError: ...", "cli is above algebra"),
        ("registration.engine", "from liescope.engines.latent import model", "stand side by side"),
        ("latent.engine", "import liescope.engines.registration", "stand side by side"),
        ("registration.engine", "from liescope.inference import Count", "inference is above registration"),
        ("data.pairs", "import torch.nn", "must not depend on torch"),
        ("data.pairs", "def f():\n    from torch import Tensor", "must not depend on torch"),
        ("result.symmetry", "from liescope.report import words", "report is above result"),
        ("result.symmetry", "def f():\n    from liescope.cli import main", "cli is above result"),
        ("detector", "from liescope import detect", "not a layer"),
        ("detector", "import liescope", "not a layer"),
        ("helpers", "", "no place in the order"),
    ],
)
def test_a_planted_violation_is_found(module: str, text: str, fault: str) -> None:
    found = violations({f"{PACKAGE}.{module}": text})
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("errors", "import difflib"),
        ("registration.engine", "from liescope.engines.registration.span_trials import Study\nfrom . import orbit"),
        ("registration", "from .study import Study"),
        ("result.symmetry", "def f():\n    from liescope.report.page import write_page"),
        ("detector", "from liescope import __version__\nfrom liescope.inference import Count"),
        ("cli.application", "from liescope.report import words"),
    ],
)
def test_what_is_allowed_passes(module: str, text: str) -> None:
    name = f"{PACKAGE}.{module}"
    assert violations({name: text}, frozenset({name} if "." not in module else ())) == []
